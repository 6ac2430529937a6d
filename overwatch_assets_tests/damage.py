"""Random damage to a line, as a torn write or a broken wire does it."""

import random

PIECES = (b'"', b"[", b"]", b"{", b"}", b"\\", b"-", b"9e9")


def damaged(line: bytes, randomly: random.Random) -> bytes:
    """The line with a few bytes changed, left out, doubled or exchanged; still one line."""
    content = bytearray(line)
    for _ in range(randomly.randint(1, 3)):
        at = randomly.randrange(len(content))
        match randomly.randrange(5):
            case 0:
                content[at] = randomly.randrange(256)
            case 1:
                del content[at : at + randomly.randint(1, 20)]
            case 2:
                content[at:at] = content[at : at + randomly.randint(1, 20)]
            case 3:
                content[at:at] = randomly.choice(PIECES)
            case _:
                content[at] ^= 1 << randomly.randrange(8)
        if not content:
            break
    return bytes(content).replace(b"\n", b" ")
