"""The keys every answer has, and the JSON type of each, as Engine API 1.51 and dockerd 28 have them.

Written as `Key:type`, with `?` where null is allowed; a type beginning with a
capital is another shape of this table, `[]` an array and `{}` an object of it.
Keys that dockerd leaves out when they are empty are not in the table.
"""

from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "list": list,
    "object": dict,
}

_TABLE = {
    "Error": "message:str",
    "Create": "Id:str Warnings:[]str",
    "Wait": "StatusCode:int",
    "Inspect": """
        Id:str Created:str Path:str Args:[]str State:State Image:str ResolvConfPath:str HostnamePath:str
        HostsPath:str LogPath:str Name:str RestartCount:int Driver:str Platform:str MountLabel:str
        ProcessLabel:str AppArmorProfile:str ExecIDs:[]str? HostConfig:HostConfig GraphDriver:GraphDriver
        Mounts:[]MountPoint Config:Config NetworkSettings:NetworkSettings""",
    "InspectWithSize": "Id:str SizeRw:int SizeRootFs:int",
    "State": """
        Status:str Running:bool Paused:bool Restarting:bool OOMKilled:bool Dead:bool Pid:int ExitCode:int
        Error:str StartedAt:str FinishedAt:str""",
    "GraphDriver": "Name:str Data:{}str?",
    "MountPoint": "Type:str Source:str Destination:str Mode:str RW:bool Propagation:str",
    "VolumePoint": "Type:str Name:str Source:str Destination:str Driver:str Mode:str RW:bool Propagation:str",
    "Config": """
        Hostname:str Domainname:str User:str AttachStdin:bool AttachStdout:bool AttachStderr:bool Tty:bool
        OpenStdin:bool StdinOnce:bool Env:[]str Cmd:[]str? Image:str Volumes:{}object? WorkingDir:str
        Entrypoint:[]str? OnBuild:[]str? Labels:{}str""",
    "HostConfig": """
        Binds:[]str? ContainerIDFile:str LogConfig:LogConfig NetworkMode:str PortBindings:{}list
        RestartPolicy:RestartPolicy AutoRemove:bool VolumeDriver:str VolumesFrom:[]str? ConsoleSize:[]int
        CapAdd:[]str? CapDrop:[]str? CgroupnsMode:str Dns:[]str? DnsOptions:[]str? DnsSearch:[]str?
        ExtraHosts:[]str? GroupAdd:[]str? IpcMode:str Cgroup:str Links:[]str? OomScoreAdj:int PidMode:str
        Privileged:bool PublishAllPorts:bool ReadonlyRootfs:bool SecurityOpt:[]str? UTSMode:str
        UsernsMode:str ShmSize:int Runtime:str Isolation:str CpuShares:int Memory:int NanoCpus:int
        CgroupParent:str BlkioWeight:int BlkioWeightDevice:[]object? BlkioDeviceReadBps:[]object?
        BlkioDeviceWriteBps:[]object? BlkioDeviceReadIOps:[]object? BlkioDeviceWriteIOps:[]object?
        CpuPeriod:int CpuQuota:int CpuRealtimePeriod:int CpuRealtimeRuntime:int CpusetCpus:str
        CpusetMems:str Devices:[]object? DeviceCgroupRules:[]str? DeviceRequests:[]object?
        MemoryReservation:int MemorySwap:int MemorySwappiness:int? OomKillDisable:bool? PidsLimit:int?
        Ulimits:[]object? CpuCount:int CpuPercent:int IOMaximumIOps:int IOMaximumBandwidth:int
        MaskedPaths:[]str ReadonlyPaths:[]str""",
    "LogConfig": "Type:str Config:{}str",
    "RestartPolicy": "Name:str MaximumRetryCount:int",
    "NetworkSettings": """
        Bridge:str SandboxID:str SandboxKey:str Ports:{}list HairpinMode:bool LinkLocalIPv6Address:str
        LinkLocalIPv6PrefixLen:int SecondaryIPAddresses:list? SecondaryIPv6Addresses:list? EndpointID:str
        Gateway:str GlobalIPv6Address:str GlobalIPv6PrefixLen:int IPAddress:str IPPrefixLen:int
        IPv6Gateway:str MacAddress:str Networks:{}Endpoint""",
    "Endpoint": """
        IPAMConfig:object? Links:[]str? Aliases:[]str? MacAddress:str DriverOpts:{}str? GwPriority:int
        NetworkID:str EndpointID:str Gateway:str IPAddress:str IPPrefixLen:int IPv6Gateway:str
        GlobalIPv6Address:str GlobalIPv6PrefixLen:int DNSNames:[]str?""",
    "Summary": """
        Id:str Names:[]str Image:str ImageID:str Command:str Created:int Ports:[]Port Labels:{}str State:str
        Status:str HostConfig:SummaryHostConfig NetworkSettings:SummaryNetworks Mounts:[]MountPoint""",
    "SummaryWithSize": "Id:str SizeRootFs:int",
    "SummaryHostConfig": "NetworkMode:str",
    "SummaryNetworks": "Networks:{}Endpoint",
    "Port": "PrivatePort:int Type:str",
    "PublishedPort": "IP:str PrivatePort:int PublicPort:int Type:str",
    "ExecCreate": "Id:str",
    "Exec": """
        ID:str Running:bool ExitCode:int? ProcessConfig:ExecProcess OpenStdin:bool OpenStderr:bool
        OpenStdout:bool CanRemove:bool ContainerID:str DetachKeys:str Pid:int""",
    "ExecProcess": "tty:bool entrypoint:str arguments:[]str privileged:bool",
    "Image": """
        Id:str RepoTags:[]str RepoDigests:[]str Parent:str Comment:str Created:str DockerVersion:str
        Author:str Config:ImageConfig Architecture:str Os:str Size:int GraphDriver:GraphDriver
        RootFS:RootFS Metadata:ImageMetadata""",
    "ImageConfig": """
        User:str Env:[]str? Cmd:[]str? Volumes:{}object? WorkingDir:str Entrypoint:[]str? OnBuild:[]str?
        Labels:{}str?""",
    "RootFS": "Type:str Layers:[]str",
    "ImageMetadata": "LastTagTime:str",
    "ImageSummary": """
        Id:str ParentId:str RepoTags:[]str RepoDigests:[]str Created:int Size:int SharedSize:int
        Labels:{}str? Containers:int""",
    "DiskUsage": """
        LayersSize:int Images:[]ImageSummary? Containers:[]Summary? Volumes:[]MeasuredVolume?
        BuildCache:[]object?""",
    "MeasuredVolume": """
        Name:str Driver:str Mountpoint:str CreatedAt:str Labels:{}str? Scope:str Options:{}str?
        UsageData:UsageData""",
    "UsageData": "Size:int RefCount:int",
    "Prune": "ImagesDeleted:[]object? SpaceReclaimed:int",
    "History": "Id:str Created:int CreatedBy:str Tags:[]str? Size:int Comment:str",
    "Network": """
        Name:str Id:str Created:str Scope:str Driver:str EnableIPv4:bool EnableIPv6:bool IPAM:IPAM
        Internal:bool Attachable:bool Ingress:bool ConfigFrom:ConfigFrom ConfigOnly:bool
        Containers:{}NetworkContainer Options:{}str Labels:{}str""",
    "IPAM": "Driver:str Options:{}str? Config:[]Pool?",
    "Pool": "Subnet:str Gateway:str",
    "ConfigFrom": "Network:str",
    "NetworkContainer": "Name:str EndpointID:str MacAddress:str IPv4Address:str IPv6Address:str",
    "Volumes": "Volumes:[]Volume Warnings:[]str?",
    "Volume": "Name:str Driver:str Mountpoint:str CreatedAt:str Labels:{}str? Scope:str Options:{}str?",
    "Event": "Type:str Action:str Actor:Actor scope:str time:int timeNano:int",
    "ContainerEvent": "status:str id:str from:str Type:str Action:str Actor:Actor",
    "Actor": "ID:str Attributes:{}str",
    "Version": """
        Platform:Platform Components:[]Component Version:str ApiVersion:str MinAPIVersion:str GitCommit:str
        GoVersion:str Os:str Arch:str KernelVersion:str BuildTime:str""",
    "Platform": "Name:str",
    "Component": "Name:str Version:str Details:{}str",
    "Info": """
        ID:str Containers:int ContainersRunning:int ContainersPaused:int ContainersStopped:int Images:int
        Driver:str DriverStatus:list Plugins:Plugins MemoryLimit:bool SwapLimit:bool CpuCfsPeriod:bool
        CpuCfsQuota:bool CPUShares:bool CPUSet:bool PidsLimit:bool IPv4Forwarding:bool Debug:bool NFd:int
        OomKillDisable:bool NGoroutines:int SystemTime:str LoggingDriver:str CgroupDriver:str
        CgroupVersion:str NEventsListener:int KernelVersion:str OperatingSystem:str OSVersion:str OSType:str
        Architecture:str IndexServerAddress:str RegistryConfig:RegistryConfig NCPU:int MemTotal:int
        GenericResources:list? DockerRootDir:str HttpProxy:str HttpsProxy:str NoProxy:str Name:str
        Labels:[]str ExperimentalBuild:bool ServerVersion:str Runtimes:{}Runtime DefaultRuntime:str
        Swarm:Swarm LiveRestoreEnabled:bool Isolation:str InitBinary:str ContainerdCommit:Commit
        RuncCommit:Commit InitCommit:Commit SecurityOptions:[]str FirewallBackend:FirewallBackend
        CDISpecDirs:[]str Warnings:[]str?""",
    "Plugins": "Volume:[]str Network:[]str Authorization:[]str? Log:[]str",
    "RegistryConfig": "InsecureRegistryCIDRs:[]str IndexConfigs:{}Index Mirrors:[]str?",
    "Index": "Name:str Mirrors:[]str Secure:bool Official:bool",
    "Runtime": "path:str",
    "Swarm": """
        NodeID:str NodeAddr:str LocalNodeState:str ControlAvailable:bool Error:str RemoteManagers:list?""",
    "Commit": "ID:str",
    "FirewallBackend": "Driver:str",
}


def faults(shape: str, answer: Any, where: str = "") -> Iterator[str]:
    """What is missing in `answer`, or has the wrong type, each as one line."""
    if not isinstance(answer, dict):
        yield f"{where or shape}: {answer!r} is no object"
        return
    for entry in _TABLE[shape].split():
        key, _, kind = entry.partition(":")
        if key in answer:
            yield from _value_faults(kind, answer[key], f"{where or shape}.{key}")
        else:
            yield f"{where or shape}.{key} is missing"


def _value_faults(kind: str, value: Any, where: str) -> Iterator[str]:
    if value is None and kind.endswith("?"):
        return
    kind = kind.removesuffix("?")
    if kind.startswith("[]") and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _value_faults(kind[2:], each, f"{where}[{number}]")
    elif kind.startswith("{}") and isinstance(value, dict):
        for key, each in value.items():
            # An exposed port that is not published has null for its bindings.
            if not (kind == "{}list" and each is None):
                yield from _value_faults(kind[2:], each, f"{where}.{key}")
    elif kind in _TABLE:
        yield from faults(kind, value, where)
    elif not isinstance(value, _TYPES.get(kind, ())) or (kind == "int" and isinstance(value, bool)):
        yield f"{where}: {value!r} is not {kind}"
