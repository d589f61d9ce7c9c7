"""What is said to the dictation to measure it. Written before anything was measured, and not changed since.

Everyday sentences of a blog, with no words chosen for how a synthetic voice says them.
"""

SENTENCES = (
    "The weather was cold and grey when we left the house this morning.",
    "I have been thinking about how people learn new things.",
    "Please send the report to everyone before noon on Friday.",
    "She opened the window and listened to the rain.",
    "There are three reasons why the project was late.",
    "Most of the work is done by a small group of volunteers.",
    "We walked along the river until it was dark.",
    "The first version of the program was written in a single weekend.",
    "He asked me whether I had read the book.",
    "A good teacher explains the same idea in many different ways.",
    "Last summer my brother bought an old boat and repaired it.",
    "Nobody knows what the city will look like in twenty years.",
    "The train arrives at half past seven in the evening.",
    "It is easier to write a long letter than a short one.",
    "You can find fresh bread and cheese at the market.",
    "The children played in the garden until their mother called them.",
    "In my opinion the second chapter is the best part of the story.",
    "They moved to the country because they wanted more space.",
    "Every evening I make a list of what I want to do tomorrow.",
    "The museum is closed on Monday but open on Sunday.",
)
