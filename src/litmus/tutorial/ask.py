"""A client of nginx: asks it 20 times a second, for 3 seconds or for as long as a command runs, and counts the answers.

python3 ask.py
python3 ask.py COMMAND…
"""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PORT = 80
EVERY_S = 0.05
PATIENCE_S = 1.0
ALONE_S = 3.0


def address() -> str:
    """The address of the service, where a client inside the cluster would go."""
    command = ["kubectl", "get", "service", "nginx", "-n", "nginx", "-o", "jsonpath={.spec.clusterIP}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ask(host: str) -> str:
    """One request on a connection of its own; what was wrong, '' if nothing."""
    connection = http.client.HTTPConnection(host, PORT, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        return "" if answer.status == 200 else f"status {answer.status}"
    except TimeoutError:
        return "no answer in time"
    except (OSError, http.client.HTTPException):
        return "no connection"
    finally:
        connection.close()


def ask_on(host: str, over: threading.Event, seen: list[tuple[str, float]]) -> None:
    """Until it is over."""
    while not over.is_set():
        began = time.monotonic()
        seen.append((ask(host), time.monotonic() - began))
        over.wait(EVERY_S)


def main(command: list[str]) -> int:
    """The exit status of the command."""
    host, over = address(), threading.Event()
    seen: list[tuple[str, float]] = []  # what was wrong with each request, and the seconds that it took
    print(f"asking http://{host}:{PORT}/", flush=True)
    client = threading.Thread(target=ask_on, args=(host, over, seen))
    client.start()
    status = 0
    try:
        if command:
            signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command; what was seen is still told
            status = subprocess.run(command, check=False).returncode
        else:
            over.wait(ALONE_S)
    finally:
        over.set()
        client.join()
    tell(seen)
    return status


def tell(seen: list[tuple[str, float]]) -> None:
    """Prints the account and leaves it in asked.json."""
    good = sorted(took for problem, took in seen if not problem)
    bad = [problem for problem, _ in seen if problem]
    reasons = ", ".join(f"{bad.count(reason)} x {reason}" for reason in sorted(set(bad)))
    print(f"{len(seen)} requests, {len(good)} answered, {len(bad)} failed{reasons and f' ({reasons})'}")
    median_ms = good[len(good) // 2] * 1000 if good else 0.0
    if good:
        print(f"half of the answers took less than {median_ms:.1f} ms")
    account = {"asked": len(seen), "answered": len(good), "failed": len(bad), "median_ms": round(median_ms, 1)}
    Path("asked.json").write_text(json.dumps(account), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
