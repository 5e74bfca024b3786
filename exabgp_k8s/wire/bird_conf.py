"""The configuration of BIRD 2 as an engine for BFD and nothing else.

Without a kernel, BGP or static protocol in it BIRD has no route and touches none. What never
changes stands first, since BIRD ends all its sessions when one of those lines is another; its
timers belong to interfaces and not to neighbors, so the peers of a node share the fastest.

Only typed values enter the file, and the name of an interface only where it cannot mean anything
else. Each neighbor is followed by what it was made of, so that the agent's next process reads
back what stands: BIRD takes that for a comment.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

from exabgp_k8s.core.facts import bfd, links

HEAD = """\
# Made by exabgp-k8s from its settings, and made anew when they change.
log stderr { info, remote, warning, error, auth, fatal, bug };
router id 0.0.0.1;
timeformat protocol "%s.%3f";

protocol device { }

protocol bfd bfd1 {
  strict bind yes;
"""
"""The router id is for BIRD's parser alone: BFD has none, and a node may be IPv6-only.
Times are shown in seconds since 1970, which mean the same in every time zone."""
NAME_OF_PROTOCOL = "bfd1"

NAME = re.compile(r"[a-z0-9][-a-z0-9/:.%A-Z_]{0,127}", re.ASCII)
"""A peer's name, with its router's address where one entry is for several."""
ENTRY = re.compile(
    r"  neighbor (?P<address>\S+)(?: dev \"(?P<interface>[^\"]+)\")? local (?P<local>\S+?)"
    r"(?P<multihop> multihop on)?;  # (?P<name>\S+)"
    r" (?P<interval>\d{2,5})ms x (?P<multiplier>\d{1,2})",
    re.ASCII,
)


def render(wanted: Iterable[bfd.Wanted]) -> str:
    """Return the whole configuration for these sessions; none at all is legal."""
    # A link whose name could mean something else to BIRD's parser has no session at all.
    fit = (each for each in wanted if _is_fit(each))
    found = sorted(fit, key=lambda each: (each.address.version, int(each.address), each.name))
    direct = [each.timing for each in found if not each.timing.is_multihop]
    beyond = [each.timing for each in found if each.timing.is_multihop]
    lines = [
        *_options('interface "*"', direct),
        *_options("multihop", beyond),
        *(_neighbor(each) for each in found),
    ]
    return HEAD + "".join(f"  {line}\n" for line in lines) + "}\n"


def _is_fit(each: bfd.Wanted) -> bool:
    link = links.of(each.address)
    return not link or (links.NAME.fullmatch(link) is not None and not each.timing.is_multihop)


def _options(kind: str, timings: Sequence[bfd.Timing]) -> Iterator[str]:
    """Yield the timers that sessions of one kind have in common: the fastest, the most patient."""
    if timings:
        interval = min(each.interval for each in timings)
        multiplier = max(each.multiplier for each in timings)
        yield f"{kind} {{ interval {interval} ms; multiplier {multiplier}; }};"


def _neighbor(each: bfd.Wanted) -> str:
    words = [f"neighbor {links.plain(each.address)}"]
    if link := links.of(each.address):
        words.append(f'dev "{link}"')
    words.append(f"local {links.plain(each.local)}")
    if each.timing.is_multihop:
        words.append("multihop on")
    name = each.name if NAME.fullmatch(each.name) else "-"
    timing = f"{each.timing.interval}ms x {each.timing.multiplier}"
    return f"{' '.join(words)};  # {name} {timing}"


def read(text: str) -> tuple[bfd.Wanted, ...]:
    """Return the sessions of a configuration of ours; a line that is no such thing is none."""
    found = (ENTRY.fullmatch(line) for line in text.splitlines()[: 4 * bfd.MOST])
    wanted = (_wanted(each) for each in found if each is not None)
    return tuple(each for each in wanted if each is not None)


def _wanted(found: re.Match[str]) -> bfd.Wanted | None:
    on_link = f"%{found['interface']}" if found["interface"] else ""
    try:
        address = ipaddress.ip_address(found["address"] + on_link)
        local = ipaddress.ip_address(found["local"] + on_link)
    except ValueError:
        return None
    return bfd.Wanted(
        name=found["name"],
        address=address,
        local=local,
        timing=bfd.Timing(
            interval=int(found["interval"]),
            multiplier=int(found["multiplier"]),
            is_multihop=found["multihop"] is not None,
        ),
    )
