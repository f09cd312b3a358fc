"""The way to a server: TLS, client certificates, proxies, what is sent, what errors say."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from aiohttp import web

from oneco.errors import Refused
from oneco.kube import errors
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster import connection
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Cluster, Material, Target, User
from tests.cluster.servers import Authority, client_of, failing, proxying, serving

CONFIG = Address(Resource("", "v1", "configmaps"), "default", "a")


@pytest.fixture(scope="module")
def authority():
    return Authority()


async def hello(request: web.Request) -> web.StreamResponse:
    peer = request.transport.get_extra_info("peercert") if request.transport else None
    return web.json_response({"peer": peer["subject"][0][0][1] if peer else None})


def ask(context, *, user=None, handler=hello, **cluster):
    """What a server with `context` answers to one get."""

    async def run():
        async with serving(handler, context) as server:
            target = Target(
                cluster=Cluster(where="clusters[c]", server=server, **cluster), user=user or User()
            )
            async with ClusterApi(target) as api:
                return await api.get(CONFIG)

    return asyncio.run(run())


def said(exception, context, **cluster) -> str:
    with pytest.raises(exception) as caught:
        ask(context, **cluster)
    return str(caught.value).partition(": ")[2]


def trusting(authority: Authority) -> dict:
    return {"authority": Material(data=authority.certificate)}


def test_a_server_is_trusted_by_its_authority(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"))
    assert ask(context, **trusting(authority)) == {"peer": None}
    file = tmp_path / "ca.crt"
    file.write_bytes(authority.certificate)
    assert ask(context, authority=Material(file=str(file))) == {"peer": None}


def test_another_authority_is_not_trusted_and_the_error_says_where_to_look(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"))
    assert said(errors.Untrusted, context, **trusting(Authority("other"))) == (
        "its certificate is not trusted: unable to get local issuer certificate; "
        "see certificate-authority and tls-server-name in clusters[c]"
    )


def test_an_expired_certificate_is_called_expired(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server", days=-1))
    assert "certificate has expired" in said(
        errors.ServiceUnavailable, context, **trusting(authority)
    )


def test_a_certificate_for_another_name_needs_the_tls_server_name(authority, tmp_path):
    pair = authority.issue("server", host="api.example")
    context = authority.server_context(tmp_path, pair)
    assert "not valid for '127.0.0.1'" in said(
        errors.ServiceUnavailable, context, **trusting(authority)
    )
    assert ask(context, server_name="api.example", **trusting(authority)) == {"peer": None}


def test_an_insecure_cluster_is_not_asked_who_it_is(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"))
    assert ask(context, insecure=True) == {"peer": None}


@pytest.mark.parametrize("is_file", [True, False])
def test_a_client_certificate_is_shown_from_a_file_and_from_data(authority, tmp_path, is_file):
    context = authority.server_context(tmp_path, authority.issue("server"), ask=True)
    pair = authority.issue("alice")
    files = pair.in_files(tmp_path, "alice")
    if is_file:
        user = User(certificate=Material(file=files[0]), key=Material(file=files[1]))
    else:
        user = User(certificate=Material(data=pair[0]), key=Material(data=pair[1]))
    assert ask(context, user=user, **trusting(authority)) == {"peer": "alice"}


def test_a_client_certificate_that_was_replaced_is_used_at_once(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"), ask=True)
    files = authority.issue("alice").in_files(tmp_path, "me")
    user = User(certificate=Material(file=files[0]), key=Material(file=files[1]))

    async def run():
        async with serving(hello, context) as server:
            target = Target(cluster=Cluster(server=server, **trusting(authority)), user=user)
            async with ClusterApi(target) as api:
                before = await api.get(CONFIG)
                authority.issue("alice-renewed").in_files(tmp_path, "me")
                return before, await api.get(CONFIG)

    assert asyncio.run(run()) == ({"peer": "alice"}, {"peer": "alice-renewed"})


def test_half_of_a_replaced_certificate_changes_nothing(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"), ask=True)
    files = authority.issue("alice").in_files(tmp_path, "me")
    user = User(certificate=Material(file=files[0]), key=Material(file=files[1]))

    async def run():
        async with serving(hello, context) as server:
            target = Target(cluster=Cluster(server=server, **trusting(authority)), user=user)
            async with ClusterApi(target) as api:
                (tmp_path / "me.crt").write_bytes(authority.issue("bob").certificate)
                return await api.get(CONFIG)

    assert asyncio.run(run()) == {"peer": "alice"}


@pytest.mark.parametrize(
    ("no_proxy", "reaches"), [("", False), ("10.0.0.0/8", True), ("far.example,10.1.2.3", True)]
)
def test_the_environments_proxy_is_used_where_no_proxy_does_not_forbid(
    monkeypatch, no_proxy, reaches
):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    found = connection.proxy_of_environment("https://10.1.2.3:6443")
    assert found == ("" if reaches else "http://127.0.0.1:9")


def test_a_server_that_wants_a_certificate_refuses_who_has_none(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"), ask=True)
    sentence = said(errors.ServiceUnavailable, context, **trusting(authority))
    assert sentence == (
        "the server hung up without an answer, as one does that wants a client certificate"
        " or does not accept this one"
    )


def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_not_trusted():
    async def run():
        async with serving(hello) as server:
            cluster = Cluster(server=server.replace("http:", "https:"), insecure=True)
            async with ClusterApi(Target(cluster=cluster)) as api:
                await api.get(CONFIG)

    with pytest.raises(errors.ServiceUnavailable, match="the TLS connection failed: "):
        asyncio.run(run())


def test_a_key_of_another_certificate_is_refused_before_anything_is_sent(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"))
    user = User(
        where="users[me]",
        certificate=Material(data=authority.issue("a")[0]),
        key=Material(data=authority.issue("b")[1]),
    )
    with pytest.raises(Refused) as caught:
        ask(context, user=user, **trusting(authority))
    assert str(caught.value) == (
        'users[me].client-certificate: found "KEY_VALUES_MISMATCH", '
        "wanted a certificate and its own key, in PEM, without a password"
    )


def test_a_proxy_carries_https_without_reading_it(authority, tmp_path):
    context = authority.server_context(tmp_path, authority.issue("server"))
    seen: list[str] = []

    async def run():
        async with serving(hello, context) as server, proxying(seen) as proxy:
            url = f"http://me:hidden@{proxy}"
            cluster = Cluster(server=server, proxy_url=url, **trusting(authority))
            async with ClusterApi(Target(cluster=cluster, user=User(token="t0k3n"))) as api:
                return await api.get(CONFIG)

    assert asyncio.run(run()) == {"peer": None}
    assert seen[0].startswith("CONNECT 127.0.0.1:")
    assert "Proxy-Authorization: Basic" in seen[0]
    assert "t0k3n" not in seen[0]


def test_a_proxy_that_is_not_there_is_named_without_its_password():
    async def run():
        cluster = Cluster(server="https://far.example", proxy_url="http://me:hidden@127.0.0.1:9")
        async with ClusterApi(Target(cluster=cluster)) as api:
            await api.get(CONFIG)

    with pytest.raises(errors.ServiceUnavailable) as caught:
        asyncio.run(run())
    assert str(caught.value) == "https://far.example: its proxy cannot be reached"


def test_a_server_that_is_not_there_is_an_outage():
    async def run():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            server = f"http://127.0.0.1:{taken.getsockname()[1]}"
            async with ClusterApi(Target(cluster=Cluster(server=server))) as api:
                await api.get(CONFIG)

    with pytest.raises(
        errors.ServiceUnavailable, match=r"http://127.0.0.1:\d+: connection refused"
    ):
        asyncio.run(run())


def test_a_server_that_does_not_answer_in_time_may_have_done_it(monkeypatch):
    monkeypatch.setattr("oneco.worlds.cluster.connection.ANSWER_SECONDS", 0.05)

    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    with pytest.raises(errors.Timeout, match="no answer in time"):
        ask(None, handler=silent)


def refused_by(response: web.Response) -> errors.ApiError:
    async def handler(request: web.Request) -> web.StreamResponse:
        return response

    with pytest.raises(errors.ApiError) as caught:
        ask(None, handler=handler)
    return caught.value


def test_a_status_object_becomes_the_error_it_tells_of():
    error = refused_by(failing(409, "AlreadyExists", 'configmaps "a" already exists'))
    assert isinstance(error, errors.AlreadyExists)
    assert error.message == 'configmaps "a" already exists'


def test_the_servers_own_patience_is_passed_on():
    error = refused_by(failing(429, "TooManyRequests", **{"Retry-After": "7"}))
    assert isinstance(error, errors.TooManyRequests)
    assert error.retry_after_seconds == 7.0


def test_an_answer_of_something_else_than_an_api_server_is_shown_in_short():
    error = refused_by(web.Response(status=502, text="<h1>Bad\nGateway</h1>" + "x" * 1000))
    assert isinstance(error, errors.ServiceUnavailable)
    assert error.message.startswith(
        "HTTP status 502, without a Status object: <h1>Bad Gateway</h1>xx"
    )
    assert len(error.message) < 300


def test_a_redirect_is_not_followed_with_our_credential():
    error = refused_by(web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}))
    assert isinstance(error, errors.ServiceUnavailable)


def test_a_body_that_is_no_object_is_an_outage():
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>")

    with pytest.raises(errors.ServiceUnavailable, match="answered no object"):
        ask(None, handler=handler)


def test_warnings_reach_the_callback():
    async def handler(request: web.Request) -> web.StreamResponse:
        warnings = [("Warning", '299 - "unknown field \\"x\\""'), ("Warning", '299 - "old"')]
        response = web.json_response({})
        for name, value in warnings:
            response.headers.add(name, value)
        return response

    heard: list[str] = []

    async def run():
        async with client_of(handler, on_warning=heard.append) as api:
            await api.get(CONFIG)

    asyncio.run(run())
    assert heard == ['unknown field "x"', "old"]


def test_a_closed_client_says_so():
    async def run():
        async with client_of(hello) as api:
            await api.close()
            await api.get(CONFIG)

    with pytest.raises(errors.ServiceUnavailable, match="this client was closed"):
        asyncio.run(run())


def test_a_log_streams_as_it_comes():
    sent = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(f"{request.rel_url}\n".encode())
        await sent.wait()
        await response.write(b"second\n")
        return response

    async def run():
        heard = []
        log = CONFIG._replace(resource=Resource("", "v1", "pods"), subresource="log")
        async with client_of(handler) as api:
            stream = api.stream(log, {"follow": "true"})
            async with contextlib.aclosing(stream) as chunks:
                async for chunk in chunks:
                    heard.append(chunk)
                    sent.set()
        return heard

    path = b"/api/v1/namespaces/default/pods/a/log?follow=true\n"
    assert asyncio.run(run()) == [path, b"second\n"]


def test_a_tls_server_name_holds_through_a_proxy(authority, tmp_path):
    pair = authority.issue("server", host="api.example")
    context = authority.server_context(tmp_path, pair)

    async def run():
        async with serving(hello, context) as server, proxying([]) as proxy:
            cluster = Cluster(
                server=server,
                proxy_url=f"http://{proxy}",
                server_name="api.example",
                **trusting(authority),
            )
            async with ClusterApi(Target(cluster=cluster)) as api:
                return await api.get(CONFIG)

    assert asyncio.run(run()) == {"peer": None}


def test_a_certificate_that_is_none_is_refused_when_connecting():
    cluster = Cluster(where="c", server="https://a", authority=Material(data=b"no PEM"))
    with pytest.raises(Refused, match=r"c\.certificate-authority: wanted certificates in PEM"):
        ClusterApi(Target(cluster=cluster))
