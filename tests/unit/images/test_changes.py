"""`--change` understands the instructions docker allows there."""

import pytest

from lading.errors import InvalidParameter
from lading.images.changes import apply
from lading.oci.image import Healthcheck, ImageConfig


def test_every_instruction() -> None:
    config = apply(
        ImageConfig(env=["PATH=/bin", "KEEP=1"], working_dir="/srv"),
        [
            'CMD ["top", "-b"]',
            "ENTRYPOINT run this",
            'ENV A=1 B="two words" PATH=/usr/bin',
            "ENV OLD style value",
            "EXPOSE 80 53/udp 8000-8002/TCP",
            'LABEL a=b "c d"=e',
            "USER 1000:1000",
            'VOLUME ["/data", "/more"]',
            "VOLUME /x /y",
            "WORKDIR app/../lib",
            "STOPSIGNAL SIGINT",
            "ONBUILD RUN make",
            "healthcheck --interval=5s --retries=3 CMD curl -f http://localhost/",
        ],
    )
    assert config.cmd == ["top", "-b"]
    assert config.entrypoint == ["/bin/sh", "-c", "run this"]
    assert config.env == ["PATH=/usr/bin", "KEEP=1", "A=1", "B=two words", "OLD=style value"]
    assert set(config.exposed_ports or ()) == {"80/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp"}
    assert config.labels == {"a": "b", "c d": "e"}
    assert config.user == "1000:1000"
    assert set(config.volumes or ()) == {"/data", "/more", "/x", "/y"}
    assert config.working_dir == "/srv/lib"
    assert config.stop_signal == "SIGINT"
    assert config.on_build == ["RUN make"]
    check = Healthcheck(["CMD-SHELL", "curl -f http://localhost/"], interval=5_000_000_000, retries=3)
    assert config.healthcheck == check


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("RUN make", "RUN is not a valid change command"),
        ("COPY a b", "COPY is not a valid change command"),
        ("CMD", "CMD requires at least one argument"),
        ("EXPOSE 99999", "invalid containerPort: 99999"),
        ("EXPOSE 20-10", "invalid containerPort: 20-10"),
        ("ENV A", "ENV must have two arguments"),
        ("LABEL a=b c", "can't find = in 'c'"),
        ("ENV A='b", "ENV: No closing quotation"),
        ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK --x=1 CMD true", "unknown flag"),
        ("USER a b", "USER requires exactly one argument"),
    ],
)
def test_refused(line: str, message: str) -> None:
    with pytest.raises(InvalidParameter, match=message.replace("(", r"\(")):
        apply(ImageConfig(), [line])


def test_the_original_stays_as_it_was() -> None:
    original = ImageConfig(env=["A=1"], labels={"a": "b"})
    apply(original, ["ENV A=2", "LABEL a=c", "VOLUME /x"])
    assert original == ImageConfig(env=["A=1"], labels={"a": "b"})
