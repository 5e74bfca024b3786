r"""What each kind of text looks like: for editors, which know JSON Schema and not this program.

An editor that knows less marks nothing, and the mistake is found on the way to a node; one that
is wrong teaches people to look past its marks. So a pattern refuses nothing that the program
takes, and takes only what a pattern cannot tell: sums, and what depends on another value.

They are read by Python and by JavaScript, so each is written in what both understand, with
``[0-9]`` for a digit. ``patternErrorMessage`` is what editors show in place of the pattern.
"""

from __future__ import annotations

from typing import Any

from exabgp_k8s.core.facts import durations, model
from exabgp_k8s.settings import values


def text(pattern: str, say: str, *examples: str, **more: object) -> dict[str, Any]:
    """Return the schema of a text: its pattern, what to write instead of others, and examples."""
    message = f"write {say}, for example {examples[0]}"
    return {"pattern": f"^{pattern}$", "patternErrorMessage": message} | _shown(examples) | more


def _shown(examples: tuple[str, ...]) -> dict[str, Any]:
    return {"examples": list(examples)}


def up_to(maximum: int) -> str:
    """Return the pattern of the decimal numbers from zero to a maximum."""
    digits = str(maximum)
    as_long = [
        f"{digits[:place]}[{int(place == 0)}-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if int(digit) > int(place == 0)
    ]
    shorter = f"[1-9][0-9]{{0,{len(digits) - 2}}}"
    return f"({'|'.join((digits, *as_long, shorter, '0'))})"


OCTET = up_to(255)
IPV4 = rf"({OCTET}\.){{3}}{OCTET}"
GROUP = "[0-9a-fA-F]{1,4}"
IPV6 = "({})".format(
    "|".join(
        (
            f"({GROUP}:){{7}}{GROUP}",
            f"({GROUP}:){{1,7}}:",
            *(f"({GROUP}:){{1,{7 - many}}}(:{GROUP}){{1,{many}}}" for many in range(1, 7)),
            f":(:{GROUP}){{1,7}}",
            # The last 32 bits may be written as an IPv4 address; what stands before it is not
            # looked at more closely, since hardly anybody does.
            rf"[0-9a-fA-F]*:[0-9a-fA-F:]*:{IPV4}",
        )
    )
)
LINK_LOCAL = "[fF][eE][89abAB][0-9a-fA-F]:"
MULTICAST = "[fF]{2}[0-9a-fA-F]{2}:"
UNICAST = (
    rf"((?!0\.|22[4-9]\.|23[0-9]\.|255\.255\.255\.255){IPV4}"
    f"|(?!{LINK_LOCAL}|{MULTICAST}|::[fF]{{4}}:){IPV6})"
)
PREFIX = (
    rf"((?!0\.|127\.|169\.254\.|22[4-9]\.|23[0-9]\.){IPV4}/([89]|[12][0-9]|3[0-2])"
    f"|(?!{LINK_LOCAL}|{MULTICAST}){IPV6}/([89]|[1-9][0-9]|1[01][0-9]|12[0-8]))"
)
INTERFACE_NAME = "[A-Za-z0-9_][-A-Za-z0-9_.]{0,14}"
HOST = r"[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?"
LABEL_NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL = f"((?=[^/]{{1,253}}/){HOST}/)?{LABEL_NAME}"
NUMBER_16, NUMBER_32 = up_to(0xFFFF), up_to(0xFFFF_FFFF)

DURATION = {
    "pattern": durations.PATTERN,
    "patternErrorMessage": "write a number with its unit, for example 9s, 500ms or 1m30s",
}
HOLD_TIME = DURATION | _shown(("9s", "3s", "90s"))
KEEPALIVE = DURATION | _shown(("1s", "3s"))
CONNECT_RETRY = DURATION | _shown(("3s", "30s", "5m"))
RESTART_TIME = DURATION | _shown(("60s", "120s"))
BFD_INTERVAL = DURATION | _shown(("300ms", "1s"))
INTERVAL = DURATION | _shown(("1s", "200ms"))
TIMEOUT = DURATION | _shown(("500ms",))
ANY_DURATION = DURATION | _shown(("30s", "1m30s"))

ADDRESS = text(UNICAST, "the router's own unicast address", "192.0.2.1", "2001:db8::1")
ROUTER = text(
    f"({UNICAST}|(?={LINK_LOCAL}){IPV6}%{INTERFACE_NAME})",
    "the router's own unicast address",
    "192.0.2.1",
    "2001:db8::1",
    "fe80::1%eth1",
)
LINK = text(INTERFACE_NAME, "the name of an interface", "eth1")
LOCAL_ADDRESS = text(
    f"(node|route|{UNICAST})", "node, route or an address", "node", "route", "192.0.2.9"
)
NEXT_HOP = text(f"(node|{UNICAST})", "node or an address", "node", "192.0.2.9")
ROUTER_ID = text(rf"(auto|(?!0\.0\.0\.0){IPV4})", "auto or an IPv4 address", "auto", "192.0.2.9")
NETWORK = text(PREFIX, "a range with its length", "10.96.0.0/16", "fd00:96::/112")
COMMUNITY = text(
    f"({NUMBER_16}:{NUMBER_16}|{'|'.join(values.COMMUNITIES)})",
    f"two numbers up to 65535, or one of {', '.join(values.COMMUNITIES)}",
    "64512:10",
    "no-export",
)
LARGE_COMMUNITY = text(
    f"{NUMBER_32}:{NUMBER_32}:{NUMBER_32}", "three numbers up to 4294967295", "64512:1:2"
)
EXTENDED_COMMUNITY = text(
    f"(target:{IPV4}:{NUMBER_16}|(target|origin):({NUMBER_16}:{NUMBER_32}|{NUMBER_32}:{NUMBER_16}))",
    "target or origin, an AS number and a number",
    "target:64512:1",
    "target:192.0.2.1:1",
    "origin:64512:1",
)
PORTION = text(
    f"({'|'.join(model.PrefixClass)}|{PREFIX})",
    "services, pods or a range of the document's own announce",
    "services",
    "10.96.0.0/16",
)
NAME = text(
    "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "at most 63 lower-case letters, digits and dashes",
    "tor-a1",
)
DESCRIPTION = text(
    r"[ !#-&(-:<-\[\]-_a-z|~]{0,80}",
    "at most 80 plain characters without quotes, backslashes, semicolons and braces",
    "rack a, upper",
)
SECRET_KEY = text(
    r"(?!\.\.)[-._A-Za-z0-9]{1,253}",
    "a key of the Secret: letters, digits, '-', '_', '.'",
    "tor-a1",
)
LABEL_KEY = text(LABEL, "the key of a label", "topology.kubernetes.io/rack", "rack")
LABEL_VALUE = text(f"({LABEL_NAME})?", "the value of a label", "a", "rack-a")
TAINT = text(
    f"{LABEL}(:({'|'.join(values.TAINT_EFFECTS)}))?",
    "the key of a taint, or key:effect",
    "example.com/maintenance:NoExecute",
    "example.com/maintenance",
)
URL = text(
    r"[hH][tT]{2}[pP][sS]?://(?![/?#:])[!-?A-~]+",
    "an http or https URL without a password",
    "http://127.0.0.1:10256/healthz",
    format="uri",
)
ENDPOINT = text(
    rf"(\[{UNICAST}\]|{HOST}):(?!0$){NUMBER_16}",
    "host:port",
    "10.96.0.10:53",
    "[fd00::a]:53",
    "mysql.example.com:3306",
)
DNS_NAME = text(
    rf"(?=.{{1,253}}$)(?!.*\.\.){HOST}", "a domain name", "kubernetes.default.svc.cluster.local"
)
INTERFACE = text("[!-.0-9;-~]{1,15}", "the name of a network interface", "eth0", "bond0")
ARGUMENT = _shown(("/usr/local/bin/check",))
PROCESS = {"minLength": 1} | _shown(("kube-proxy",))
