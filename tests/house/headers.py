"""The structs of the public headers: their fields, in order, with types and comments."""
import re

COMMENT = re.compile(r"/\*\*<(.*?)\*/|/\*(.*?)\*/", re.S)
FUNCTION = re.compile(r"^(.*?)\(\*(\w+)\)\s*\(.*\)$", re.S)


def _words(text):
    return " ".join(text.split())


def _declared(text):
    """(type, name) of each declarator of a declaration: "int a, *b" gives (int, a) and (int *, b)."""
    text = _words(text)
    function = FUNCTION.match(text)
    if function:
        return [(function[1].strip() + " (*)", function[2])]
    first, *more = text.split(",")
    match = re.match(r"^(.*?)([\w]+)(\[[^\]]*\])?$", first)
    base, fields = match[1].strip(), [(match[1].strip() + (match[3] or ""), match[2])]
    for part in more:
        match = re.match(r"^\s*(\**)\s*(\w+)(\[[^\]]*\])?$", part)
        fields.append((base.rstrip("* ") + (" " + match[1] if match[1] else "") + (match[3] or ""), match[2]))
    return fields


def structs(text):
    """name -> [(type, field, comment)], in order.  The comment is that behind the field."""
    found = {}
    for match in re.finditer(r"^(?:typedef )?struct (\w+) \{\n?(.*?)\}\s*\w*;", text, flags=re.M | re.S):
        fields, rest = [], match[2]
        while True:
            rest = rest.lstrip()
            if rest.startswith("/*"):
                rest = rest[rest.index("*/") + 2 :]
                continue
            if ";" not in rest:
                break
            declaration, rest = rest.split(";", 1)
            comment = re.match(r"\s*/\*\*<(.*?)\*/", rest, flags=re.S)
            for kind, name in _declared(COMMENT.sub("", declaration)):
                fields.append((kind, name, _words(comment[1]) if comment else ""))
            if comment:
                rest = rest[comment.end() :]
        found[match[1]] = fields
    return found
