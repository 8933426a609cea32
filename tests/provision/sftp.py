"""A real SFTP server: OpenSSH's, of Debian's package."""

import pwd
import socket
import subprocess
from pathlib import Path

from provision.daemon import LOOPBACK, Daemon, Missing
from provision.processes import give

PROGRAM = Path("/usr/sbin/sshd")
CONFIGURATION = """
ListenAddress {host}
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/client.pub
PidFile none
UsePAM yes
StrictModes no
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


class SFTP(Daemon):
    """Lets in whoever has the key in its folder, as the account that it runs as."""

    def __init__(self) -> None:
        if not PROGRAM.exists():
            raise Missing("sshd is not installed: apt-get install openssh-server")
        super().__init__()

    def prepare(self) -> None:
        for key in ("host", "client"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / key]
            subprocess.run(command, check=True, capture_output=True)
        text = CONFIGURATION.format(host=LOOPBACK, port=self.port, folder=self.folder)
        (self.folder / "config").write_text(text)
        (self.folder / "files").mkdir()
        give(self.folder)

    def command(self) -> list[str]:
        return [str(PROGRAM), "-D", "-e", "-f", str(self.folder / "config")]

    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), 5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def url(self, name: str) -> str:
        """Return the URL of a store in a folder of that name."""
        user = pwd.getpwuid(self.folder.stat().st_uid).pw_name
        options = f"key_filename={self.folder}/client&look_for_keys=false&allow_agent=false"
        return f"fsspec+sftp://{user}@{LOOPBACK}:{self.port}{self.folder}/files/{name}?{options}"
