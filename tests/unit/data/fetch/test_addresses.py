"""Where a picture may come from: public addresses, by whatever spelling they are reached."""

from ipaddress import ip_address

import pytest

from viral.data.fetch import FetchConfig, FetchError
from viral.data.fetch.connection import allowed_addresses, look_up

URL = "http://shop.test/a.png"
FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
    "192.168.1.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:db8::1", "2001::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.215.14", "2001:4860:4860::8888", "::ffff:8.8.8.8"]
SPELLINGS = ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.0.1.", "017700000001", "0"]


def allowed(*addresses, host="shop.test", **config):
    found = allowed_addresses(host, 80, FetchConfig(**config), lambda name, port: addresses, URL)
    return [ip_address(address) for address in found]


def status(call, *arguments, **options):
    with pytest.raises(FetchError) as caught:
        call(*arguments, **options)
    return caught.value.status


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_of_an_address_inside_is_refused(address):
    assert status(allowed, address) == "at a forbidden address"
    assert status(allowed, "8.8.8.8", address) == "at a forbidden address"  # one of several is enough


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address):
    assert allowed(address) == [ip_address(address)]


@pytest.mark.parametrize("host", SPELLINGS)
def test_odd_spellings_of_an_address_are_refused_whatever_they_resolve_to(host):
    assert status(allowed, "8.8.8.8", host=host) == "at a forbidden address"
    assert status(allowed, "127.0.0.1", host=host, allow_private=True) == "at a forbidden address"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_is_refused_with_the_systems_own_resolver(host):
    with pytest.raises(FetchError, match="forbidden"):
        allowed_addresses(host, 80, FetchConfig(), look_up, URL)
    assert allowed_addresses(host, 80, FetchConfig(allow_private=True), look_up, URL)


def test_the_switch_opens_the_intranet_and_never_what_only_the_machine_itself_may_ask():
    for address in ("10.0.0.1", "127.0.0.1", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "8.8.8.8"):
        assert allowed(address, allow_private=True) == [ip_address(address)]
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1"):
        assert status(allowed, address, allow_private=True) == "at a forbidden address"


def test_a_list_of_hosts_shuts_out_the_others():
    hosts = ("shop.test",)
    assert (
        allowed("8.8.8.8", hosts=hosts)
        == allowed("8.8.8.8", host="img.shop.test", hosts=hosts)
        == [ip_address("8.8.8.8")]
    )
    for host in ("evilshop.test", "shop.test.evil.test", "other.test"):
        assert status(allowed, "8.8.8.8", host=host, hosts=hosts) == "at a forbidden address"


def test_a_name_that_does_not_exist_is_a_dead_link():
    def nobody(name, port):
        raise OSError("no such name")

    assert status(allowed_addresses, "shop.test", 80, FetchConfig(), nobody, URL) == "behind a dead link"
    assert status(allowed) == "behind a dead link"


def test_an_error_shows_neither_password_nor_query():
    error = FetchError("too slow", "https://me:password@shop.test/a.png?token=secret#x")
    assert "https://shop.test/a.png" in str(error)
    assert "password" not in str(error) and "secret" not in str(error)
    assert error.hint
