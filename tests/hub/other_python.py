"""A Python beside this one that has all of its packages, and takes more without a change to this one."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

BIN = Path(sys.executable).parent


class Python:
    """A virtual environment with litmus in it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True, with_pip=False)
        self.executable = folder / "bin" / "python"
        [self.packages] = (folder / "lib").glob("python3*/site-packages")
        ours = sysconfig.get_paths()["purelib"]
        (self.packages / "all_of_this.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
        launcher = folder / "bin" / "litmus"
        launcher.write_text(f"#!{self.executable}\nimport sys\nfrom litmus.__main__ import main\n\nsys.exit(main())\n")
        launcher.chmod(0o755)
        # kubectl comes from this Python's folder
        self.env = {**os.environ, "PATH": os.pathsep.join((str(folder / "bin"), str(BIN), os.environ["PATH"]))}
        self.env |= {"PYTHONDONTWRITEBYTECODE": "1", "LITMUS_SANDBOX_HOME": str(folder / "s")}
        self.env |= {
            f"XDG_{place}_HOME": str(folder / place.lower()) for place in ("CONFIG", "CACHE")
        }  # of its own hubs
        for name in ("KUBECONFIG", "LITMUS_HUBS"):
            self.env.pop(name, None)

    def run(self, *arguments: str, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``python`` with these arguments."""
        return self._run([str(self.executable), *arguments], cwd=cwd, check=check)

    def litmus(self, *arguments: str, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The litmus command."""
        return self.run("-m", "litmus", *arguments, cwd=cwd, check=check)

    def install(self, folder: Path) -> None:
        """``pip install -e``, without asking a registry for anything."""
        options = ["--quiet", "--offline", "--no-deps", "--no-build-isolation"]
        self._run([str(BIN / "uv"), "pip", "install", *options, "--python", str(self.executable), "-e", str(folder)])

    def offer(self, package: str, code: str, **experiments: str) -> None:
        """A package that is installed as a registry's would be; ``experiments`` are its entry points."""
        module = package.replace("-", "_")
        (self.packages / f"{module}.py").write_text(code)
        information = self.packages / f"{module}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name.replace('_', '-')} = {value}\n" for name, value in experiments.items()]
        (information / "entry_points.txt").write_text("[litmus.experiments]\n" + "".join(lines))

    def _run(
        self, command: list[str], *, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, env=self.env, cwd=cwd, capture_output=True, text=True, timeout=500, check=False)
        assert not check or done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"
        return done
