"""Tables in a page, between `<!-- simulate: NAME -->` and `<!-- end of NAME -->`: put in, and compared."""

import difflib


def with_tables(text, tables):
    """The page with each of the tables made anew. ValueError if one has no place in it."""
    for name, lines in tables.items():
        begin, end = f"<!-- simulate: {name} -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found or not found_end:
            raise ValueError(f"no place for the table {name}")
        text = before + begin + "".join(f"{line}\n" for line in lines()) + end + after
    return text


def differences(text, wanted):
    """What has to change, a line each."""
    return [line for line in difflib.unified_diff(text.splitlines(), wanted.splitlines(), "page", "made", n=0,
                                                  lineterm="")]
