"""``run``: check everything that can be checked, then become the supervisor.

The settings library and the command line are large, and PID 1 lives long. So this process does
the checking and then replaces itself by a lean interpreter with the same process id.
"""

from __future__ import annotations

import fcntl
import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import click

from exabgp_k8s import candidate
from exabgp_k8s.adapters import daemon, files
from exabgp_k8s.agent import options as agent_options
from exabgp_k8s.cli import durations, exits, node_options, refusals
from exabgp_k8s.core.facts import config
from exabgp_k8s.errors import Problem, SettingsError
from exabgp_k8s.settings import load, mounted
from exabgp_k8s.wire import daemon_conf

SOCKET_PATH_LIMIT = 107
"""Bytes of a unix socket's path (unix(7))."""

DESCRIPTORS = 16384
"""We need 300; but systemd's default of 1,024 is also what the commands of checks would get."""

OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""A DNS subdomain name (Kubernetes, Object Names and IDs)."""

Checked = tuple[str, config.Config]
"""The text of the settings, and what it means."""


@click.command()
@node_options.of_a_node
@click.option(
    "--stop-timeout",
    default="20s",
    show_default=True,
    type=durations.Duration(),
    metavar="DURATION",
    help="How long a SIGTERM waits for the withdrawal; keep it below the pod's grace period.",
)
def run(stop_timeout: float, **values: Any) -> None:
    """Run the speaker of one node: the container's entry."""
    # As process 1 we would not end by a signal that we do not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(exits.Code.OK))
    _raise_descriptors()
    chosen = _options(values)
    settings = _check_settings(chosen)
    _prepare(chosen, settings)
    environment = {**os.environ, **daemon.environment(chosen.state_dir), **chosen.environment()}
    conf = chosen.state_dir / daemon.FILE_NAME
    command = daemon.server_command(conf)
    supervisor = [sys.executable, "-m", "exabgp_k8s.supervisor"]
    arguments = [str(chosen.state_dir), str(stop_timeout), *command]
    sys.stderr.flush()
    # The supervisor takes them once it can withdraw.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    os.execve(supervisor[0], [*supervisor, *arguments], environment)  # noqa: S606 - no shell


def _raise_descriptors() -> None:
    """Allow this process and all that come after it more open files, as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _options(values: Mapping[str, Any]) -> agent_options.Options:
    if not NODE_NAME.fullmatch(values["node"]):
        raise click.BadParameter(
            f"{values['node']!r} is no Node's name; write the one that `kubectl get nodes` shows",
            param_hint="--node",
        )
    try:
        host, port = agent_options.split_address(values["http"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--http") from None
    return agent_options.Options(
        settings=values["settings"].absolute(),
        password_dir=values["password_dir"].absolute(),
        node=values["node"],
        kubeconfig=values["kubeconfig"] and values["kubeconfig"].absolute(),
        state_dir=values["state_dir"].absolute(),
        http_host=host,
        http_port=port,
        namespace=values["namespace"],
        pod=values["pod"],
        log_format=values["log_format"],
    )


def _check_settings(chosen: agent_options.Options) -> Checked | None:
    """Refuse bad settings, unless this pod has run before: then its last good ones go on.

    A container that restarts in the middle of a bad edit must not take the node's routes away.
    Good ones are returned, the text and what it means: the agent need not check them again.
    """
    try:
        return _checked_settings(chosen)
    except SettingsError as error:
        last_good = chosen.state_dir / files.LAST_GOOD
        has_run = last_good.exists()
        effect = f"going on with {last_good}" if has_run else "nothing was started"
        refusals.show_problems(chosen.log_format, chosen.settings, error.problems, effect)
        if not has_run:
            sys.exit(exits.Code.USAGE)
        return None


def _checked_settings(chosen: agent_options.Options) -> Checked:
    try:
        text = mounted.read_text(chosen.settings)
        return text, load.parse(text, str(chosen.settings))
    except SettingsError:
        raise
    except Exception as error:
        # A bug of ours: the last good settings go on for it as for a mistake of somebody's.
        problem = Problem("", f"the settings could not be read: {error!r}")
        raise SettingsError((problem,), str(chosen.settings)) from error


def _prepare(chosen: agent_options.Options, settings: Checked | None) -> None:
    """Make the state directory ours, and write and check the first exabgp.conf.

    It has no neighbors yet: which ones there are depends on the Node, and the agent adds them.
    """
    if len(os.fsencode(chosen.socket)) > SOCKET_PATH_LIMIT:
        refusals.fail(
            chosen.log_format,
            f"--state-dir: {chosen.state_dir} is too long for a unix socket; shorten it",
        )
    try:
        chosen.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(chosen)
        _lock(chosen)
        conf = chosen.state_dir / daemon.FILE_NAME
        daemon.write_private(conf, daemon_conf.render((), daemon.AGENT_COMMAND))
        candidate.forget(conf)
        daemon.write_private(chosen.state_dir / daemon.ENV_FILE_NAME, "")
        if settings is not None:
            files.keep(chosen.state_dir, *settings)
    except OSError as error:
        refusals.fail(
            chosen.log_format,
            f"--state-dir: {error}; name a directory that this user may write to",
        )
    checked = subprocess.run(  # noqa: S603 - our own interpreter, no shell
        daemon.validate_command(conf),
        env={**os.environ, **daemon.environment(chosen.state_dir)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode != 0:
        said = (checked.stdout + checked.stderr).strip()
        refusals.fail(
            chosen.log_format,
            f"exabgp refuses even an empty configuration; is 5.0.15 installed?\n{said}",
        )


def _check_owner(chosen: agent_options.Options) -> None:
    """Refuse a directory in which others could write: they would write our configuration.

    They could also put a drain or last good settings there, or take the place of our sockets.
    """
    state_dir, found = chosen.state_dir, chosen.state_dir.stat()
    if found.st_uid != os.geteuid():
        problem = f"{state_dir} belongs to another user, {found.st_uid}"
    elif found.st_mode & OTHERS_MAY_WRITE:
        problem = f"others may write to {state_dir}, and it says what is announced"
    else:
        return
    refusals.fail(
        chosen.log_format,
        f"--state-dir: {problem}; name one that does not exist yet, "
        f"for example {state_dir / 'state'}: it is made for this user alone",
    )


def _lock(chosen: agent_options.Options) -> None:
    """Hold a lock for as long as the supervisor lives: two agents in one directory would fight."""
    descriptor = os.open(chosen.state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = f"--state-dir: {chosen.state_dir} belongs to another running exabgp-k8s"
        refusals.fail(chosen.log_format, f"{said}; name another one")
    os.set_inheritable(descriptor, True)
