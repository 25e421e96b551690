"""Let Odoo serve a database on this machine; say when it is ready, or why it is not.

Usage: serve.py PORT ODOO-ARGUMENTS, where port 0 is the first free one from 8069. In
POSTMASTER stands the process of the database server, where it is one of ours.
"""

import os
import shutil
import signal
import socket
import sys
import time
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import urlopen

PATIENCE = 60  # seconds: the first page of a new database is made, which takes a while
READY = """
  Ready:  {}

    technician     technician / technician
    manager        manager / manager
    auditor        auditor / auditor
    administrator  admin / admin

  Ctrl-C stops it; the data stays.
"""


def take_port(wanted):
    """Return a socket that listens: nobody else can take the port from here on."""
    for port in [wanted] if wanted else range(8069, 8169):
        try:
            return socket.create_server(("127.0.0.1", port), backlog=128)
        except PermissionError:
            sys.exit(f"error: port {port} is for the system; --port N takes another")
        except OSError:
            continue
    taken = f"something else listens on port {wanted}" if wanted else "no port is free"
    sys.exit(f"error: {taken}; ./dev run --port N takes another")


def say(text, to=sys.stderr):
    with suppress(OSError):  # nobody listens any more
        print(text, file=to, flush=True)


def lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def why_it_ends(server, url, postmaster):
    """Watch over the server as long as it lives.

    :return: why there is no use in going on, nothing where it has ended by itself
    """
    ready, errors, first = False, 0, f"{url}/web/login"
    while os.getppid() == server:
        if postmaster and not lives(postmaster):
            return "the database server was ended; ./dev run starts it anew"
        if not ready:
            try:
                with urlopen(first, timeout=PATIENCE) as answer:
                    given = answer.url
                if given != first:
                    return f"instead of its first page the server gives {given}"
                ready = True
                say(READY.format(url), sys.stdout)
            except HTTPError as error:
                errors += 1
                if errors == 3:
                    return f"instead of its first page the server gives {error}"
            except TimeoutError:
                say("Waiting for the server's first page, which takes long")
            except OSError:
                pass  # not yet
        time.sleep(1 if ready or errors else 0.2)
    return None


def main(port, *arguments):
    listener = take_port(int(port))
    port = listener.getsockname()[1]
    server = os.getpid()
    postmaster = int(os.environ.get("POSTMASTER", 0))
    if not os.fork():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
        if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # unless by nohup
            signal.signal(signal.SIGHUP, signal.default_int_handler)
        listener.close()
        os.closerange(3, 10)  # the locks of ./dev are the server's to hold
        try:
            why = why_it_ends(server, f"http://127.0.0.1:{port}", postmaster)
        except KeyboardInterrupt:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            why = "the terminal was closed"  # Odoo itself would start again
        if why:
            say(f"\033[1merror:\033[0m {why}")
        while why and os.getppid() == server:  # which may be starting again just now
            os.kill(server, signal.SIGTERM)
            time.sleep(1)
        os._exit(0)
    # Odoo takes a socket as the third file: what systemd calls socket activation
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(server)}
    os.execv(shutil.which("odoo"), ["odoo", f"--http-port={port}", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
