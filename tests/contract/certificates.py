"""Certificates of an authority of the tests, of a server on this machine and of a client."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.local.ports import HOST


def write_certificates(folder: Path) -> None:
    """Write the certificates of an authority, of the broker and of a client, and the private keys of the latter two."""
    authority, signer = ec.generate_private_key(ec.SECP256R1()), name("Earshot tests")
    basic = x509.BasicConstraints(ca=True, path_length=None)
    (folder / "ca.crt").write_bytes(pem(certificate(signer, authority, signer, authority, basic)))
    for subject in ("broker", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
        signed = pem(certificate(name(subject), key, signer, authority, address))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{subject}.crt").write_bytes(signed)
        (folder / f"{subject}.key").write_bytes(private)
        (folder / f"{subject}.pem").write_bytes(private + signed)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signing_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    return builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(
        signing_key, hashes.SHA256()
    )


def pem(signed: x509.Certificate) -> bytes:
    return signed.public_bytes(Encoding.PEM)
