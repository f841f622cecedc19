"""The results for people: a line a figure."""


def lines(results):
    for letter, result in results.items():
        yield f"\n  {letter}"
        yield from _lines(result, "    ")


def _lines(result, indent):
    for name, value in result.items():
        if isinstance(value, dict) and "median" in value:
            yield f"{indent}{name:<28}{_number(value['median']):>12}   {_number(value['lowest'])} to " \
                  f"{_number(value['highest'])} in {len(value['runs'])}"
        elif isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{name:<28}{_number(value):>12}"


def _number(value):
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
