"""Writes the list of passwords that are long enough and yet among the first that anybody would try.

    .venv/bin/python -m deedbox_checkout.common_passwords

Built from what lists of stolen passwords are made of over and over: words everybody picks, said twice or with years and rows of
digits, walks over a keyboard, rows of digits. A box that wants more sets `breached_passwords`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deedbox_server.people.password_rules import COMMON
from deedbox_server.people.passwords import SHORTEST

TARGET = Path(__file__).parents[2] / "server" / "deedbox_server" / "people" / COMMON

_WORDS = """
password passwort passw0rd p@ssword p@ssw0rd pa55word motdepasse contrasena senha parola wachtwoord haslo
admin administrator root superuser login welcome willkommen letmein changeme default secret geheim master
qwerty qwertz azerty qwertyuiop asdfghjkl iloveyou ichliebedich sunshine princess football baseball basketball
soccer hockey monkey dragon shadow superman batman spiderman starwars pokemon michael jordan jennifer jessica
charlie andrew daniel thomas computer internet freedom whatever trustno1 hello hallo schatz fussball blink182
chocolate cookie cheese flower butterfly summer sommer winter spring autumn january december monday friday
sunday liverpool chelsea arsenal barcelona manchester ferrari mercedes porsche mustang harley google facebook
samsung iphone windows microsoft linkedin deedbox lawfirm lawyer attorney attorneys kanzlei anwalt paralegal
evidence justice court office company business money lovely forever family friends mother father babygirl
"""
_TAILS = (
    "1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0 00 000 007 11 111 1111 69 99 321 4321 54321 "
    "! !! !!! 1! 12! 123! 1234! @1 @12 @123 @1234 #1 #123 abc abc123 qwerty xyz"
)
_YEARS = [str(year) for year in range(1970, 2031)]
_ROWS = (
    "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1234567890qwertyuiop",
    "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn", "qazwsxedcrfvtgbyhnujm", "zaq12wsxcde34rfvbgt56yhn", "qweasdzxcrtyfghvbn", "123qweasdzxc",
    "12345678901234567890", "01234567890123456789", "98765432109876543210", "09876543210987654321", "147258369147258369",
    "31415926535897932384", "27182818284590452353", "abc123def456ghi789", "a1b2c3d4e5f6g7h8i9j0", "mnbvcxzlkjhgfdsapoiuytrewq",
)  # fmt: skip
_PHRASES = """
iloveyouforever iloveyousomuch letmeinplease letmeinletmein openthedoor opensesame correcthorsebatterystaple thisismypassword
mypasswordis mypassword123 thepassword passwordispassword ihateyou12345 nopassword123 pleaseletmein ihavenoidea ilovemymother
ilovejesus123 jesuschrist1 godisgreat123 manchesterunited liverpoolfc1892 realmadrid123 harrypotter123 starwars12345
thelordoftherings maytheforcebewithyou tobeornottobe thequickbrownfox whatthehell123
supercalifragilistic
"""
_LONGEST_WALK = 16


def common_passwords() -> list[str]:
    """Sorted, folded, each at least as long as a password must be: a shorter one is refused anyway."""
    return sorted({one.casefold() for one in _all() if len(one) >= SHORTEST})


def _all() -> Iterator[str]:
    yield from _PHRASES.split()
    for word in _WORDS.split():
        yield word
        yield word * 2
        yield word * 3
        for tail in (*_TAILS.split(), *_YEARS):
            yield word + tail
        for year in _YEARS[-15:]:
            yield f"{word}{year}!"
        for tail in ("1", "12", "123", "1234", "12345", "123456"):
            yield tail + word
            yield f"{word}{tail}!"
    for row in _ROWS:
        for length in range(SHORTEST, _LONGEST_WALK + 1):
            for start in range(len(row) - length + 1):
                yield row[start : start + length]
    for part in (
        "123",
        "1234",
        "12345",
        "123456",
        "abc",
        "abc123",
        "qwerty",
        "qwe123",
        "asdf",
        "asdfgh",
        "zxcvbn",
        "1q2w3e",
    ):
        for times in range(2, 7):
            yield part * times


def main() -> None:
    TARGET.write_text("".join(f"{one}\n" for one in common_passwords()), encoding="utf-8")


if __name__ == "__main__":
    main()
