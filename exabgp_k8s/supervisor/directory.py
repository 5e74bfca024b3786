"""The state directory: ours alone, and locked.

Who could write there would write our configuration, could put a drain or last good settings
there, or take the place of our sockets. Two of us in one directory would fight.
"""

from __future__ import annotations

import fcntl
import os
import stat

from exabgp_k8s import candidate, chain

SOCKET_PATH_LIMIT = 107
"""Bytes of a unix socket's path (unix(7))."""
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class UnusableError(Exception):
    """The directory cannot be used; the text says what to do instead."""


def prepare(path: str) -> None:
    """Make the directory, lock it for as long as we live, and write the first exabgp.conf.

    It has no neighbors yet: which ones there are depends on the Node, and the agent adds them.

    Raises:
        UnusableError: it is not ours, or in use.
    """
    if len(os.fsencode(os.path.join(path, chain.AGENT_SOCKET))) > SOCKET_PATH_LIMIT:
        raise UnusableError(f"{path} is too long for a unix socket; shorten it")
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        _check_owner(path)
        _lock(path)
        conf = os.path.join(path, chain.CONFIGURATION)
        chain.write_private(conf, chain.first_configuration())
        candidate.forget(conf)
    except OSError as error:
        raise UnusableError(f"{error}; name a directory that this user may write to") from error


def _check_owner(path: str) -> None:
    found = os.stat(path)
    if found.st_uid != os.geteuid():
        problem = f"{path} belongs to another user, {found.st_uid}"
    elif found.st_mode & OTHERS_MAY_WRITE:
        problem = f"others may write to {path}, and it says what is announced"
    else:
        return
    raise UnusableError(
        f"{problem}; name one that does not exist yet, for example "
        f"{os.path.join(path, 'state')}: it is made for this user alone"
    )


def _lock(path: str) -> None:
    """Hold a lock for as long as this process lives."""
    descriptor = os.open(os.path.join(path, chain.LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = f"{path} belongs to another running exabgp-k8s"
        raise UnusableError(f"{said}; name another one") from None
