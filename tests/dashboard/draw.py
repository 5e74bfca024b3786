"""The dashboard drawn as Grafana would lay it out, over what a real Prometheus recorded.

    python -m tests.dashboard.draw FOLDER PICTURE.png

Grafana is not among the tools of this project. So a query that returns nothing, a legend that
says nothing and a panel that is too small are found by asking Prometheus for every query of the
JSON and drawing the answers in its grid. Needs a chromium.
"""

from __future__ import annotations

import html
import json
import math
import re
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.dashboard import document, grafana, record
from tests.fabric import namespaces, waiting
from tests.looking_glass import browser

WIDTH, CELL, GAP = 1360, 30, 8
"""Pixels; the last two are Grafana's."""
SHOWN = 1390
"""Pixels of the height that the picture has: what somebody sees without scrolling far."""
SPAN, POINTS = 285, 240
"""Seconds that are shown, and values of a line."""
COLORS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#c0d8ff")
FILLED = {"green": "#299c46", "orange": "#ed8128", "red": "#d44a3a"}
STYLE = """
html { overflow: hidden }
body { margin: 0; background: #111217; color: #ccccdc; font: 12px sans-serif; position: relative }
section { position: absolute; background: #181b1f; border: 1px solid #2a2d33; overflow: hidden;
  box-sizing: border-box; padding: 6px 8px }
section.row { background: none; border: none; font-size: 15px; padding: 4px 0 }
h2 { font-size: 13px; font-weight: 500; margin: 0 0 4px; white-space: nowrap }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: 2px 6px; border-bottom: 1px solid #2a2d33 }
.stat { position: absolute; inset: 30px 8px 8px; font-size: 34px; display: flex; color: #fff;
  align-items: center; justify-content: center; border-radius: 2px }
.legend { line-height: 15px } .legend span { margin-right: 10px; white-space: nowrap }
.none { color: #7b7f87; text-align: center; padding-top: 50px }
text { fill: #8e939c; font-size: 10px }
"""


class Data:
    """What Prometheus recorded, up to a moment."""

    def __init__(self, ended: float) -> None:
        self.ended = ended

    def now(self, text: str) -> list[dict[str, Any]]:
        """Return an expression's value at the end."""
        return self._ask("query", text, time=self.ended)

    def lately(self, text: str) -> list[dict[str, Any]]:
        """Return its values before the end."""
        begin, step = self.ended - SPAN, SPAN / POINTS
        return self._ask("query_range", text, start=begin, end=self.ended, step=step)

    def _ask(self, what: str, text: str, **more: float) -> list[dict[str, Any]]:
        text = re.sub(r"\$\w+", ".*", text.replace("$__rate_interval", "15s"))
        query = urllib.parse.urlencode({"query": text, **more})
        url = f"http://127.0.0.1:{record.PROMETHEUS}/api/v1/{what}?{query}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    @staticmethod
    def is_there() -> bool:
        """Say whether Prometheus has read what was recorded."""
        try:
            url = f"http://127.0.0.1:{record.PROMETHEUS}/-/ready"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status) == 200
        except OSError:
            return False


def page(data: Data) -> str:
    """Return the whole dashboard."""
    panels = json.loads(document.render())["panels"]
    height = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panels)
    drawn = "".join(_panel(data, each) for each in panels)
    size = f"height:{height * (CELL + GAP)}px;width:{WIDTH}px"
    return f"<!doctype html><style>{STYLE}</style><body style='{size}'>{drawn}</body>"


def _panel(data: Data, panel: dict[str, Any]) -> str:
    at, unit = panel["gridPos"], WIDTH / grafana.COLUMNS
    width, height = at["w"] * unit - GAP, at["h"] * (CELL + GAP) - GAP
    place = f"left:{at['x'] * unit + GAP / 2}px;top:{at['y'] * (CELL + GAP)}px"
    style = f"{place};width:{width}px;height:{height}px"
    title = html.escape(panel["title"])
    if panel["type"] == "row":
        return f'<section class="row" style="{style}">{title}</section>'
    inside = DRAWN[panel["type"]](data, panel, width - 18, height - 34)
    return f'<section style="{style}"><h2>{title}</h2>{inside}</section>'


def _stat(data: Data, panel: dict[str, Any], *_: float) -> str:
    found = data.now(panel["targets"][0]["expr"])
    defaults = panel["fieldConfig"]["defaults"]
    if not found:
        return f'<div class="stat">{defaults["noValue"]}</div>'
    value = float(found[0]["value"][1])
    color = next(
        each["color"]
        for each in reversed(defaults["thresholds"]["steps"])
        if each["value"] is None or value >= each["value"]
    )
    whole = defaults["unit"] == "none"
    shown = str(round(value)) if whole else _shown(value, defaults["unit"])
    return f'<div class="stat" style="background:{FILLED[color]}">{shown}</div>'


def _table(data: Data, panel: dict[str, Any], *_: float) -> str:
    found = data.now(panel["targets"][0]["expr"])
    keep, order = (each["options"] for each in panel["transformations"])
    unit = panel["fieldConfig"]["overrides"][0]["properties"][0]["value"]
    names = sorted(keep["include"]["names"], key=order["indexByName"].__getitem__)
    if not found:
        return '<div class="none">none</div>'
    rows = []
    for each in found:
        values = {**each["metric"], "Value": _shown(float(each["value"][1]), unit)}
        rows.append("".join(f"<td>{html.escape(values.get(name, ''))}</td>" for name in names))
    head = "".join(f"<th>{order['renameByName'][name]}</th>" for name in names)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _lines(data: Data, panel: dict[str, Any], width: float, height: float) -> str:
    found = [
        (_legend(target["legendFormat"], each["metric"]), _values(each["values"]))
        for target in panel["targets"]
        for each in data.lately(target["expr"])
    ]
    if not any(values for _, values in found):
        return '<div class="none">No data</div>'
    unit = panel["fieldConfig"]["defaults"]["unit"]
    most = max((value for _, values in found for _, value in values), default=1) or 1
    last = data.ended
    inner = height - 40
    picture = ""
    for number, (_, values) in enumerate(found):
        points = " ".join(
            f"{50 + (time - last + SPAN) / SPAN * (width - 50):.1f},"
            f"{5 + (1 - value / most) * (inner - 20):.1f}"
            for time, value in _steps(values)
        )
        color = COLORS[number % len(COLORS)]
        picture += f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
    for part in (0.0, 0.5, 1.0):
        y = 5 + (1 - part) * (inner - 20)
        picture += f'<line x1="50" x2="{width}" y1="{y}" y2="{y}" stroke="#2a2d33"/>'
        picture += f'<text x="0" y="{y + 4}">{_shown(most * part, unit)}</text>'
    legend = " ".join(
        f'<span style="color:{COLORS[number % len(COLORS)]}">&#9644; {html.escape(name)}</span>'
        for number, (name, _) in enumerate(found)
    )
    return (
        f'<svg width="{width}" height="{inner}">{picture}</svg><div class="legend">{legend}</div>'
    )


DRAWN: dict[str, Callable[[Data, dict[str, Any], float, float], str]] = {
    "stat": _stat,
    "table": _table,
    "timeseries": _lines,
}


def _values(found: Sequence[tuple[float, str]]) -> list[tuple[float, float]]:
    numbers = ((time, float(value)) for time, value in found)
    return [(time, value) for time, value in numbers if not math.isnan(value)]


def _steps(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for time, value in values:
        if found:
            found.append((time, found[-1][1]))
        found.append((time, value))
    return found


def _legend(form: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form)


def _shown(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit == "s":
        if value < 1:
            return f"{value * 1000:.0f} ms"
        return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
    return f"{value:.3g}"


def main() -> int:
    """Draw it, and take a picture."""
    folder, picture = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    ended = float((folder / "ended").read_text(encoding="ascii"))
    prometheus = record.run(folder, {})
    try:
        waiting.until(Data.is_there, "Prometheus has read what was recorded", limit=60)
        drawn = page(Data(ended))
    finally:
        namespaces.stop(prometheus)
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
        file.write(drawn)
        file.flush()
        with browser.browser() as window:
            window.size(WIDTH, SHOWN)
            window.open(f"file://{file.name}")
            picture.write_bytes(window.picture(WIDTH, SHOWN))
    return 0


if __name__ == "__main__":
    sys.exit(main())
