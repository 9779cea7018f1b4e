"""Certificates for tests of TLS, made with openssl."""

import os
import shutil
import subprocess
import tempfile


class Certificates:
    """A folder with an authority, "ca", and what it signs; the gateway may read all of it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="spooled-tls.")
        os.chmod(self.folder, 0o755)
        self.make("ca", None)

    def remove(self):
        shutil.rmtree(self.folder, True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def make(self, name, signer="ca", subject="localhost"):
        """Makes name.key and name.pem, signed by "signer" or (None) by itself, and moves them in place at once."""
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path("new.key"), "-subj", "/CN=" + subject,
                "-addext", "subjectAltName=DNS:localhost", *(
                    ("-x509", "-days", "2", "-out", self.path("new.pem")) if signer is None else
                    ("-out", self.path("new.csr"))))
        if signer is not None:
            openssl("x509", "-req", "-in", self.path("new.csr"), "-CA", self.path(signer + ".pem"), "-CAkey",
                    self.path(signer + ".key"), "-CAcreateserial", "-days", "2", "-copy_extensions", "copy",
                    "-out", self.path("new.pem"))
        for suffix in (".key", ".pem"):
            os.chmod(self.path("new" + suffix), 0o644)
            os.replace(self.path("new" + suffix), self.path(name + suffix))

    def settings(self, certificate="server", key="server"):
        """What makes a gateway serve gRPC with one of them."""
        return {"GRPC_TLS_ENABLED": "true", "GRPC_TLS_CERT_PATH": self.path(certificate + ".pem"),
                "GRPC_TLS_KEY_PATH": self.path(key + ".key")}


def openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True, capture_output=True)
