"""Whom webhooks may call, and how."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chat import outbound
from chat.outbound import Caller, Unreachable, is_public
from tests.receiver import receiving


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8
    192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1
    ::ffff:169.254.169.254 2002:7f00:1::1 2002:a00:1::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1
    2001:db8::1 2001:0:0:0:0:0:f5ff:fffe x 127.1 localhost""".split(),
)
def test_what_is_not_on_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    "93.184.215.14 8.8.8.8 1.1.1.1 2606:4700::1111 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808".split(),
)
def test_what_is(address: str) -> None:
    assert is_public(address)


async def call(url: str) -> int:
    async with Caller(url) as caller:
        return await caller.post(b"{}", {"X-Test": "yes"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "127.1", "0x7f.1"])
async def test_a_private_address_is_not_even_connected_to(host: str) -> None:
    async with receiving() as receiver:
        with pytest.raises(Unreachable, match="public internet"):
            await call(f"http://{host}:{receiver.port}/")
        assert receiver.requests == []


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch, settings) -> None:
    """The name leads elsewhere the next time that it is looked up: nobody looks it up again."""
    asked: list[str] = []
    async with receiving() as receiver:
        port = receiver.port

        async def resolve(host: str, port: int, **more: object) -> list[tuple]:
            asked.append(host)
            address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        # What is public by name is really this machine, so that the test needs no network.
        connected: list[tuple[str, int]] = []
        loop = asyncio.get_running_loop()
        connect = loop.create_connection

        async def create_connection(factory, host, port_, **more):
            connected.append((host, port_))
            return await connect(factory, "127.0.0.1", port_, **more)

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        monkeypatch.setattr(loop, "create_connection", create_connection)
        assert await call(f"http://hooks.example.org:{port}/path?x=1") == 204
    assert asked == ["hooks.example.org"]
    assert connected == [("93.184.215.14", port)]
    (request,) = receiver.requests
    assert (request.target, request.body, request.headers["x-test"]) == ("/path?x=1", b"{}", "yes")
    assert request.headers["host"] == f"hooks.example.org:{port}"


async def test_a_redirect_is_not_followed(settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    async with receiving() as receiver:
        receiver.answers = [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"]
        assert await call(receiver.url) == 302


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n"])
async def test_who_takes_too_long_is_given_up(settings, answer) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    settings.WEBHOOK_SECONDS = 0.2
    async with receiving() as receiver:
        receiver.answers = [answer]
        with pytest.raises(Unreachable, match=r"no answer within 0\.2 seconds"):
            await call(receiver.url)


async def test_an_endless_answer_is_not_read(settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    async with receiving() as receiver:
        receiver.answers = [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000]
        assert await call(receiver.url) == 200


@pytest.mark.parametrize("answer", [b"220 smtp.example.org ESMTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nx" + b"x" * 200_000])
async def test_what_speaks_no_http_is_a_failure(settings, answer) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    async with receiving() as receiver:
        receiver.answers = [answer]
        with pytest.raises(Unreachable):
            await call(receiver.url)


async def test_nobody_is_there(settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="no connection"):
            await call(f"http://127.0.0.1:{probe.getsockname()[1]}/")


async def test_a_name_that_is_not_known(monkeypatch) -> None:
    async def resolve(*args: object, **more: object) -> list[tuple]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(Unreachable, match="not known"):
        await call("http://nowhere.invalid/")


def certificate(name: str) -> tuple[bytes, bytes]:
    """One for ``name``, signed by itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    made = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), secret


async def test_the_certificate_is_the_names_though_the_call_goes_to_a_number(monkeypatch, settings, tmp_path) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    made, key = certificate("hooks.example.org")
    (tmp_path / "both.pem").write_bytes(made + key)
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(tmp_path / "both.pem")
    asked: list[str] = []
    ours.sni_callback = lambda connection, name, context: asked.append(name)
    theirs = ssl.create_default_context(cadata=made.decode())
    monkeypatch.setattr(outbound, "_tls", lambda: theirs)

    async def resolve(host: str, port: int, **more: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with receiving(tls=ours) as receiver:
        assert await call(f"https://hooks.example.org:{receiver.port}/hook") == 204
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await call(f"https://other.example.org:{receiver.port}/hook")
    assert asked == ["hooks.example.org", "other.example.org"]
    assert len(receiver.requests) == 1


def test_whom_an_address_belongs_to() -> None:
    assert outbound.origin_of("https://hooks.example.org:8443/services/T0/secret?x") == "https://hooks.example.org:8443"
