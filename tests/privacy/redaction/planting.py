"""Messages with personal data planted in them, and others with what only looks like it; the same for the same seed."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers


@dataclass(frozen=True)
class Planted:
    """A message and what is personal in it, by kind."""

    text: str
    values: tuple[tuple[str, str], ...]
    innocent: tuple[str, ...] = ()


def messages(count: int, seed: int = 20261121) -> list[Planted]:
    """``count`` messages: most with one to four planted values, each with something that looks like one."""
    maker = Maker(random.Random(seed))
    return [maker.message() for _ in range(count)]


class Maker:
    """Makes values of each kind by their published rules, not by the detectors'."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def message(self) -> Planted:
        chance = self.chance
        values: list[tuple[str, str]] = []
        innocent: list[str] = []
        sentences: list[str] = []
        for _ in range(chance.choice((0, 1, 1, 2, 3, 4))):
            kind = chance.choice(tuple(self.planted))
            value = self.planted[kind](self)
            values.append((kind, value))
            sentences.append(chance.choice(self.frames[kind]).format(value))
        for _ in range(chance.choice((1, 1, 2))):
            value, frame = chance.choice(self.looks_alike)(self)
            innocent.append(value)
            sentences.append(frame.format(value))
        sentences += chance.sample(_PROSE, 2)
        chance.shuffle(sentences)
        return Planted(chance.choice((" ", "\n", "\n\n")).join(sentences), tuple(values), tuple(innocent))

    def digits(self, count: int) -> str:
        return "".join(self.chance.choice(string.digits) for _ in range(count))

    def letters(self, count: int, of: str = string.ascii_letters + string.digits) -> str:
        return "".join(self.chance.choice(of) for _ in range(count))

    def email(self) -> str:
        first, last = self.chance.choice(_FIRST), self.chance.choice(_LAST)
        local = self.chance.choice(
            (f"{first}.{last}", f"{first}{self.digits(2)}", f"{first[0]}_{last}", f"{first}+news")
        )
        return f"{local}@{self.chance.choice(_DOMAINS)}"

    def phone(self) -> str:
        region = self.chance.choice(("DE", "GB", "US", "FR", "IT", "ES", "NL", "PL", "SE", "JP", "IN", "BR"))
        example = phonenumbers.example_number_for_type(region, self.chance.choice((0, 1)))
        assert example is not None
        # The last digits of an example may be any: numbering plans look at the first.
        number = phonenumbers.PhoneNumber()
        number.CopyFrom(example) if hasattr(number, "CopyFrom") else number.merge_from(example)
        national = str(example.national_number)
        number.national_number = int(national[:-3] + self.digits(3))
        if not phonenumbers.is_valid_number(number):
            number = example
        form = self.chance.choice((phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164))
        return phonenumbers.format_number(number, form)

    def american_phone(self) -> str:
        area = self.chance.choice(("212", "415", "312", "617", "206"))
        a, b = self.chance.choice("23456789") + self.digits(2), self.digits(4)
        return self.chance.choice((f"({area}) {a}-{b}", f"{area}-{a}-{b}"))

    def card(self) -> str:
        start, length = self.chance.choice(
            (("4", 16), ("51", 16), ("5412", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16))
        )
        body = start + self.digits(length - len(start) - 1)
        number = body + _luhn_digit(body)
        if length == 15:
            return self.chance.choice((number, f"{number[:4]} {number[4:10]} {number[10:]}"))
        mark = self.chance.choice(("", " ", "-"))
        return mark.join(number[i : i + 4] for i in range(0, 16, 4))

    def iban(self) -> str:
        country, body = self.chance.choice(
            (
                ("DE", self.digits(18)),
                ("GB", self.letters(4, string.ascii_uppercase) + self.digits(14)),
                ("FR", self.digits(10) + self.letters(11, string.digits + string.ascii_uppercase) + self.digits(2)),
                ("ES", self.digits(20)),
                ("NL", self.letters(4, string.ascii_uppercase) + self.digits(10)),
                ("CH", self.digits(17)),
                ("NO", self.digits(11)),
            )
        )
        moved = "".join(str(int(c, 36)) for c in body + country + "00")
        number = f"{country}{98 - int(moved) % 97:02}{body}"
        return self.chance.choice((number, " ".join(number[i : i + 4] for i in range(0, len(number), 4))))

    def national(self) -> str:
        return self.chance.choice((self.spanish, self.brazilian, self.american, self.swiss, self.french, self.polish))()

    def spanish(self) -> str:
        number = self.digits(8)
        return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]

    def brazilian(self) -> str:
        number = str(self.chance.randint(1, 9)) + self.digits(8)
        for start in (10, 11):
            rest = sum(int(d) * w for d, w in zip(number, range(start, 1, -1), strict=False)) % 11
            number += str(0 if rest < 2 else 11 - rest)
        return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"

    def american(self) -> str:
        return f"{self.chance.randint(100, 665)}-{self.chance.randint(10, 99)}-{self.chance.randint(1000, 9998)}"

    def swiss(self) -> str:
        body = "756" + self.digits(9)
        total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body))
        number = body + str(-total % 10)
        return f"{number[:3]}.{number[3:7]}.{number[7:11]}.{number[11:]}"

    def french(self) -> str:
        born = f"{self.chance.randint(40, 99)}{self.chance.randint(1, 12):02}"
        body = f"{self.chance.choice('12')}{born}75{self.digits(6)}"
        number = f"{body}{97 - int(body) % 97:02}"
        return " ".join((number[:1], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:]))

    def polish(self) -> str:
        born = f"{self.chance.randint(50, 99)}{self.chance.randint(1, 12):02}{self.chance.randint(1, 28):02}"
        body = born + self.digits(4)
        total = sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True))
        return body + str(-total % 10)

    def ip(self) -> str:
        between = self.chance.randint
        four = f"{between(11, 223)}.{between(0, 255)}.{between(0, 255)}.{between(1, 254)}"
        six = f"2001:db8:{self.letters(4, '0123456789abcdef')}::{self.letters(3, '123456789abcdef')}"
        return self.chance.choice((four, four, six)).replace("127.", "129.")

    def key(self) -> str:
        some = self.letters
        head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        return self.chance.choice(
            (
                lambda: "sk-" + some(48),
                lambda: "sk-ant-api03-" + some(40),
                lambda: "ghp_" + some(36),
                lambda: "xoxb-" + self.digits(12) + "-" + some(24),
                lambda: "AKIA" + some(16, string.ascii_uppercase + string.digits),
                lambda: f"{head}.{some(40)}.{some(43)}",
                lambda: "AIza" + some(35),
                lambda: "hf_" + some(34),
            )
        )()

    def secret(self) -> str:
        while True:
            value = self.letters(32)
            if any(map(str.isdigit, value)):
                return value

    def private_key(self) -> str:
        lines = "\n".join(self.letters(64) for _ in range(3))
        return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----"

    planted: dict[str, Callable[[Maker], str]] = {  # noqa: RUF012 - a table, not state
        "email": email,
        "phone": phone,
        "phone-us": american_phone,
        "card": card,
        "iban": iban,
        "id": national,
        "ip": ip,
        "key": key,
        "key-said": secret,
        "key-pem": private_key,
    }
    frames: dict[str, tuple[str, ...]] = {  # noqa: RUF012
        "email": ("Write to {} today.", "My address is <{}>.", "Cc: {}, thanks", "([mail](mailto:{}))"),
        "phone": ("Ring me at {} after six.", "Her number: {}.", "{} is the desk."),
        "phone-us": ("Call {} before noon.", "Office {}, ask for Sam."),
        "card": ("I paid with {} yesterday.", "Card {} exp 12/28.", "card={};"),
        "iban": ("Please transfer to {}.", "IBAN: {}, thank you.", "from account {} to the landlord"),
        "id": ("The number on the form is {}.", "ID {}, please check.", "({})"),
        "ip": ("The server at {} is down.", "Block {}, please.", "ping {} fails"),
        "key": ("export OPENAI={}", "I pasted {} by mistake.", '{{"k": "{}"}}'),
        "key-said": ("api_key={}", 'token: "{}"', "Authorization: Bearer {}", "client_secret = '{}'"),
        "key-pem": ("Here it is:\n{}\nDo not share.",),
    }

    def order(self) -> tuple[str, str]:
        value = self.digits(self.chance.choice((8, 9, 10, 12)))
        return value, self.chance.choice(("Order {} has shipped.", "invoice no. {} is due", "ticket #{}"))

    def version(self) -> tuple[str, str]:
        value = ".".join(str(self.chance.randint(0, 30)) for _ in range(4))
        return value, self.chance.choice(("We run version {} now.", "Upgrade to v{}.", "chromium=={}"))

    def timestamp(self) -> tuple[str, str]:
        moment = self.chance.randint(1_500_000_000, 1_800_000_000)
        choice = self.chance.choice(
            (str(moment), str(moment * 1000 + 417), "2026-11-21T11:39:20Z", "12:34:56.789", "2026-11-21 11:39")
        )
        return choice, "It happened at {}."

    def isbn(self) -> tuple[str, str]:
        body = "978" + self.digits(9)
        check = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10
        plain = f"{body}{check}"
        return self.chance.choice((plain, f"{plain[:3]}-{plain[3]}-{plain[4:6]}-{plain[6:12]}-{plain[12]}")), "ISBN {}."

    def hashed(self) -> tuple[str, str]:
        value = self.letters(self.chance.choice((7, 32, 40, 64)), "0123456789abcdef")
        return value, self.chance.choice(("commit {}", "sha256:{}", "The digest is {}."))

    def unique(self) -> tuple[str, str]:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4)), "request {} failed"

    def code(self) -> tuple[str, str]:
        value = self.chance.choice(
            (
                "git@github.com:someone/project.git",
                "logo@2x.png",
                "lodash@4.17.21",
                "std::vector<int>",
                "@property",
                "192.168/16",
                "00:1b:44:11:3a:b7",
                "a[1:2:3]",
                "127.0.0.1:8080",
                "::1",
                "3.141592653589793",
                "1,234,567.89",
                "key=value",
                "token = None",
                "os.environ['API_KEY']",
                "password: required",
                "sk-learn",
                "x = 0xDEADBEEF",
                "$12,345,678",
                "1e-10",
                "(1234567, 89)",
                "x+y@z",
                "ffmpeg -b:v 2500k",
                "EN 60529:1991",
                "RFC 9110",
                "1024 x 768",
                "2024-2025",
                "10/12/2026",
                "49.2827, -123.1207",
                "key: the_name_of_a_column",
                "api_key=YOUR_API_KEY",
            )
        )
        return value, "In code: {} is fine."

    looks_alike = (order, version, timestamp, isbn, hashed, unique, code)


def _luhn_digit(body: str) -> str:
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(body)))
    return str(-total % 10)


_FIRST = ("jane", "otto", "mei", "ali", "sofia", "liam", "ana", "yuki")
_LAST = ("doe", "smith", "garcia", "müller", "tanaka", "rossi", "novak")
_DOMAINS = ("example.org", "mail.example.com", "firma-beispiel.de", "uni.example.ac.uk", "post.example.io")
_PROSE = (
    "Could you make this friendlier and half as long?",
    "We met 12 people on 3 days and it cost 1,200 euros.",
    "Chapter 4 starts on page 118; see figure 2.1.",
    "Bitte übersetze den Absatz ins Englische.",
    "The build takes 14 minutes and 30 seconds on 8 cores.",
    "Think step by step and answer in JSON.",
    "The meeting is at 10:30 in room 4.12 on the 3rd floor.",
    "Flight LH 1234 leaves at 06:45 from gate B22.",
)
