"""Thirty facts, each said once in a conversation of its own, and how they are asked about in other words.

The questions were written before anything was tuned. ``TUNED_ON`` are those that tuning may look at.
"""

from __future__ import annotations

PLANTED = (
    ("My daughter Hanna is allergic to hazelnuts, so I always check the label.", "Which food makes my kid ill?"),
    (
        "We moved the staging database over to port 6543 last night.",
        "Where does the test server's Postgres listen now?",
    ),
    ("The landlord said that rent goes up to 1,140 euros from March.", "How expensive will my flat become in spring?"),
    ("I keep the spare key under the blue flower pot behind the shed.", "Where did I hide the extra house key?"),
    (
        "Dr. Okafor prescribed 20 mg of lisinopril for my blood pressure.",
        "What medicine am I taking against hypertension?",
    ),
    ("Our wedding anniversary is on the ninth of October.", "When did my spouse and I get married?"),
    (
        "The bakery's sourdough starter is fed every twelve hours with rye flour.",
        "How often does the leaven need food?",
    ),
    ("I decided to name the sailing boat Marguerite after my grandmother.", "What is my yacht called?"),
    ("Professor Lindqvist will supervise my thesis on glacier melt.", "Who is my academic advisor?"),
    (
        "The router in the attic restarts itself whenever the microwave is on.",
        "Why does our wifi drop out in the kitchen?",
    ),
    ("My passport runs out in August 2027.", "When do my travel documents expire?"),
    ("Our team agreed to release on Tuesdays and never on Fridays.", "Which weekday do we ship software?"),
    ("I am left-handed, so ordinary scissors are useless to me.", "Which hand do I write with?"),
    ("The car's winter tyres are stored at Brandt's garage in Kiel.", "Who keeps my snow wheels?"),
    ("My sister Amelie works as a nurse at the children's hospital.", "What job does my sibling have?"),
    ("I ran the Lisbon half marathon in one hour and 52 minutes.", "How fast was I in that road race in Portugal?"),
    ("The cat refuses everything except tuna in jelly.", "What will my pet eat?"),
    ("I promised Tom to give back his cordless drill by Sunday.", "Which tool have I borrowed from a friend?"),
    (
        "For the API we chose exponential backoff with at most five tries.",
        "How did we settle retries of failing calls?",
    ),
    ("The plumber quoted 780 pounds for replacing the boiler valve.", "What does the heating repair cost?"),
    ("I am learning Portuguese because my in-laws live in Porto.", "Which language am I studying and why?"),
    ("The violin lesson has moved to Thursday at half past five.", "When is my music class?"),
    ("My favourite author is Ursula Le Guin, above all The Dispossessed.", "Whose novels do I like best?"),
    ("The invoices must go to accounts at the Rotterdam office, not to Jan.", "Where should bills be sent?"),
    ("I planted garlic and broad beans in the raised bed in November.", "What vegetables did I sow in autumn?"),
    ("The flight to Nairobi leaves at 06:35 from terminal two.", "What time does my plane to Kenya depart?"),
    ("I sleep badly whenever I drink coffee after three in the afternoon.", "What keeps me awake at night?"),
    ("Our nightly backup goes to the NAS in the cellar at a quarter past two.", "When are copies of our data made?"),
    ("My old school friend Piotr has become a father of twins.", "Who of my mates just had babies?"),
    ("The mortgage is fixed at 3.1 percent until 2031.", "What interest do I pay on the house loan?"),
)

TUNED_ON = tuple(range(0, 30, 2))
"""Every other one; the rest was kept aside until the end."""
