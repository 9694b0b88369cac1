"""Becomes a server: started by the supervisor for each start of a service, also after a crash.

First it ends what an earlier, killed server left behind (workers of Airflow's scheduler, say): those would hold ports, files or
tasks that the new one starts anyway.
"""

import json
import os
import sys

from . import processes
from .layout import Stack
from .services import by_name


def main() -> None:
    stack = Stack.from_environment()
    service = by_name(sys.argv[1])
    left = processes.of_stack(stack, service.name)
    if left:
        print(f"local/stack: ending {len(left)} processes that an earlier {service.name} left behind", flush=True)
        processes.end(left, patience=10)
    (stack.run / f"{service.name}.launches").unlink(missing_ok=True)
    processes.remember_launch(stack, service.name)

    argv = service.command(stack)
    (stack.run / f"{service.name}.json").write_text(json.dumps({"pid": os.getpid(), "fingerprint": service.fingerprint(stack)}))
    os.chdir(service.folder(stack))
    os.execve(argv[0], argv, {**service.environment(stack), "STREAMFLOW_SERVICE": service.name})


if __name__ == "__main__":
    main()
