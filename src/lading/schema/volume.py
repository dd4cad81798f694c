"""Volume bodies. Source: Engine API 1.51, VolumeCreateOptions."""

from typing import Any

from msgspec import Struct


class VolumeCreateBody(Struct, rename="pascal", kw_only=True):
    """The body of `POST /volumes/create`; without a name the volume gets one and counts as anonymous."""

    name: str = ""
    driver: str = ""
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    cluster_volume_spec: dict[str, Any] | None = None
