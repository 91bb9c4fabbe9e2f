"""Ports: taken ones are found before anything starts, reserved ones are ours."""

import socket
from collections.abc import Iterator

import pytest

from madina.errors import SetupError
from madina.supervisor.ports import free_port, listening_socket, reserve_port

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_names_the_setting_that_mends_it(taken: int) -> None:
    with pytest.raises(SetupError, match=f"port {taken} .* in use: set MADINA_HTTP_PORT"):
        reserve_port(HOST, taken, "http_port")


def test_zero_gives_a_free_port() -> None:
    reservation = reserve_port(HOST, 0, "mqtt_port")
    assert reservation.port > 0
    reservation.release()


def test_a_reserved_port_is_taken_for_others_and_open_to_ours() -> None:
    reservation = reserve_port(HOST, 0, "mqtt_port")
    with pytest.raises(SetupError):
        free_port(HOST, reservation.port, "mqtt_port")
    with (
        listening_socket(HOST, reservation.port),
        listening_socket(HOST, reservation.port),
        socket.create_connection((HOST, reservation.port), 5),
    ):
        pass
    reservation.release()


def test_an_address_of_another_machine_names_the_host_setting() -> None:
    with pytest.raises(SetupError, match=r"cannot listen on 192\.0\.2\.1 .* MADINA_MQTT_HOST"):
        free_port("192.0.2.1", 0, "mqtt_port")
