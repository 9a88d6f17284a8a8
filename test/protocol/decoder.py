"""A decoder of holdfast.v1 that was written from PROTOCOL.md alone, with the standard library only.

Reads the vectors in golden/ and says, on standard output, one line of JSON for each: {"name", "means"} for a frame, or
{"name", "close"} for one that breaks the protocol.
"""

import json
import math
import os
import sys
import zlib

LIMIT_FRAME = 262144
LIMIT_INFLATED = 1048576
SAFE = 2**53 - 1

PROTOCOL = 4001
TOO_BIG = 4006


class Violation(Exception):
    def __init__(self, close=PROTOCOL):
        super().__init__(close)
        self.close = close


# --- fields ---------------------------------------------------------------------------------------------------------


def whole(least):
    return lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and v == v and abs(v) != math.inf \
        and v == int(v) and least <= v <= SAFE


def text(most, least=0):
    return lambda v: isinstance(v, str) and least <= len(v.encode("utf-16-le", "surrogatepass")) // 2 <= most


def many(item):
    return lambda v: isinstance(v, list) and len(v) <= 64 and all(item(each) for each in v)


def headers(v):
    return isinstance(v, dict) and len(v) <= 64 and all(text(4096)(each) for each in v.values())


KINDS = {
    "seq": whole(1),
    "count": whole(0),
    "time": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) and v >= 0,
    "name": text(256, 1),
    "text": text(4096),
    "secret": text(16384),
    "flag": lambda v: isinstance(v, bool),
    "json": lambda v: True,
    "names": many(text(256, 1)),
    "versions": many(whole(1)),
    "headers": headers,
}

WINDOW = {"m": "count", "b": "count"}
LIMITS = {"frame": "count", "inflated": "count", "win": WINDOW}
PING = {"iv": "count", "to": "count"}
META = {"k?": "name", "n?": "name", "h?": "headers", "r?": "name", "re?": "name", "x?": "count", "c?": "name"}
MESSAGE = {"d": "json", **META}

BOTH = {
    "m": {"s": "seq", "b": [MESSAGE], "a?": "count"},
    "v": {"b": [MESSAGE]},
    "ack": {"a": "count", "w?": WINDOW},
    "nack": {"s?": "seq", "e?": "seq", "k?": "names", "c": "name", "m": "text", "temp": "flag", "ra?": "count",
             "out": "name"},
    "ping": {"i": "count", "ts": "time", "a?": "count"},
    "pong": {"i": "count", "ts": "time", "now": "time", "a?": "count"},
    "flow": {"w": WINDOW, "c?": "name"},
    "shut": {"c": "name", "why?": "text"},
    "err": {"c": "name", "m": "text", "temp": "flag", "ra?": "count", "ref?": "name", "fatal?": "flag"},
    "bye": {"why?": "text", "keep": "flag"},
}
FRAMES = {
    "server": {
        **BOTH,
        "srv": {"v": "versions", "node": "name", "caps": "names", "lim": LIMITS, "ping": PING, "now": "time"},
        "welcome": {"sid": "name", "tok": "secret", "ep": "name", "gen": "seq", "resumed": "flag", "why?": "name",
                    "rx": "count", "top": "count", "ttl": "count", "exp?": "count", "caps": "names", "lim": LIMITS,
                    "ping": PING, "now": "time"},
        "auth": {"ok?": "flag", "exp?": "count", "need?": "flag", "in?": "count"},
        "away": {"in": "count", "spread": "count", "url?": "text", "why?": "text"},
    },
    "client": {
        **BOTH,
        "hello": {"v": "seq", "nonce": "name", "auth?": "secret", "caps": "names", "lim": LIMITS, "meta?": "headers",
                  "resume?": {"sid": "name", "tok": "secret", "ep": "name", "rx": "count", "lo": "seq",
                              "hi": "count"}},
        "auth": {"tok": "secret"},
        "open": {"c": "name", "n": "name", "auth?": "secret"},
    },
}


def checked(fields, value):
    if not isinstance(value, dict):
        raise Violation()
    known = {}
    for name, field in fields.items():
        optional = name.endswith("?")
        name = name.rstrip("?")
        if name not in value:
            if optional:
                continue
            raise Violation()
        each = value[name]
        if isinstance(field, list):
            if not isinstance(each, list) or not each:
                raise Violation()
            known[name] = [checked(field[0], item) for item in each]
        elif isinstance(field, dict):
            known[name] = checked(field, each)
        elif KINDS[field](each):
            known[name] = each
        else:
            raise Violation()
    return known


# --- text frames ----------------------------------------------------------------------------------------------------


def no_constant(_name):
    raise ValueError("NaN and Infinity are no JSON")


def parsed(source):
    try:
        return json.loads(source, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Violation() from None


def position(digits, least):
    if not digits.isascii() or not digits.isdigit() or (len(digits) > 1 and digits[0] == "0") or len(digits) > 16:
        raise Violation()
    value = int(digits)
    if not least <= value <= SAFE:
        raise Violation()
    return value


def read_text(source, side):
    if source[:1].isdigit():
        start = source.find("[")
        if start < 0:
            raise Violation()
        first, comma, ack = source[:start].partition(",")
        payloads = parsed(source[start:])
        if not isinstance(payloads, list) or not payloads:
            raise Violation()
        frame = {"t": "batch", "s": position(first, 1), "d": payloads}
        if comma:
            frame["a"] = position(ack, 0)
        return frame
    value = parsed(source)
    if not isinstance(value, dict) or not isinstance(value.get("t"), str):
        raise Violation()
    fields = FRAMES[side].get(value["t"])
    if fields is None:
        if value.get("o") == 1 and not isinstance(value["o"], bool):
            return {"t": "unknown"}
        raise Violation()
    return {"t": value["t"], **checked(fields, value)}


# --- binary frames --------------------------------------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def byte(self):
        return self.take(1)[0]

    def take(self, length):
        if length > len(self.data) - self.at:
            raise Violation()
        self.at += length
        return self.data[self.at - length:self.at]

    def varint(self):
        value = 0
        for index in range(8):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if byte == 0 and index > 0 or value > SAFE:
                    raise Violation()
                return value
        raise Violation()


def read_batch(data):
    reader = Reader(data)
    if reader.byte() != 1:
        raise Violation()
    first, ack, count = reader.varint(), reader.varint(), reader.varint()
    if count == 0:
        raise Violation()
    messages = []
    for _ in range(count):
        raw = reader.take(reader.varint())
        try:
            meta = checked(META, parsed(raw.decode("utf-8"))) if raw else {}
        except UnicodeDecodeError:
            raise Violation() from None
        messages.append({"meta": meta, "d": reader.take(reader.varint()).hex()})
    if reader.at != len(data):
        raise Violation()
    return {"t": "bytes", "s": first, "a": ack, "b": messages}


def inflate(data, window):
    reader = Reader(data)
    if reader.byte() != 2:
        raise Violation()
    codec = reader.byte()
    if codec not in (1, 2):
        raise Violation()
    length = reader.varint()
    if length > LIMIT_INFLATED:
        raise Violation(TOO_BIG)
    if codec == 2:
        try:
            inner = window.decompress(reader.take(len(data) - reader.at) + b"\x00\x00\xff\xff", length + 1)
        except zlib.error:
            raise Violation() from None
        if window.eof or len(inner) != length or window.unconsumed_tail:
            raise Violation()
        # it ends between two blocks: there, and nowhere else, another block of nothing says nothing
        try:
            said = window.copy().decompress(b"\x00\x00\x00\xff\xff")
        except zlib.error:
            raise Violation() from None
        if said:
            raise Violation()
        return inner
    engine = zlib.decompressobj(-15)
    try:
        inner = engine.decompress(reader.take(len(data) - reader.at), length + 1)
    except zlib.error:
        raise Violation() from None
    if not engine.eof or len(inner) != length or engine.unused_data:
        raise Violation()
    return inner


def read(vector):
    # one for each direction of a socket
    window = zlib.decompressobj(-15)
    for earlier in vector.get("after", []):
        inflate(bytes.fromhex(earlier), window)
    if "text" in vector:
        if len(vector["text"].encode("utf-8")) > LIMIT_FRAME:
            raise Violation(TOO_BIG)
        return read_text(vector["text"], vector["from"])
    data = bytes.fromhex(vector.get("hex", ""))
    if len(data) > LIMIT_FRAME:
        raise Violation(TOO_BIG)
    if data[:1] != b"\x02":
        return read_batch(data)
    inner = inflate(data, window)
    if inner[:1] == b"\x01":
        return read_batch(inner)
    try:
        frame = read_text(inner.decode("utf-8"), vector["from"])
    except UnicodeDecodeError:
        raise Violation() from None
    if frame["t"] not in ("batch", "m", "v"):
        raise Violation()
    return frame


def main():
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
    for name in ("frames.json", "violations.json"):
        with open(os.path.join(golden, name), encoding="utf-8") as file:
            for vector in json.load(file):
                try:
                    said = {"name": vector["name"], "means": read(vector)}
                except Violation as violation:
                    said = {"name": vector["name"], "close": violation.close}
                print(json.dumps(said))


if __name__ == "__main__":
    sys.exit(main())
