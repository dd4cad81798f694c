"""This room's tables: networks, endpoints, port_leases."""

import msgspec

from lading.network.record import EndpointRecord, NetworkRecord
from lading.state import Database

_network = msgspec.json.Decoder(NetworkRecord)
_endpoint = msgspec.json.Decoder(EndpointRecord)


class Store:
    """What exists of networks."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def networks(self) -> list[NetworkRecord]:
        rows = self.database.query("SELECT record FROM networks")
        return [_network.decode(row["record"]) for row in rows]

    def save_network(self, network: NetworkRecord) -> None:
        """Adds a network, or replaces what was known of it."""
        with self.database.transaction() as tx:
            tx.execute(
                "INSERT INTO networks (id, name, record) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record",
                (network.id, network.name, msgspec.json.encode(network)),
            )

    def delete_network(self, network: NetworkRecord) -> None:
        """Forgets a network."""
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM networks WHERE id = ?", (network.id,))

    def endpoints(self) -> list[EndpointRecord]:
        rows = self.database.query("SELECT record FROM endpoints")
        return [_endpoint.decode(row["record"]) for row in rows]

    def insert_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds an endpoint with its host ports. Raises sqlite3.IntegrityError where one is taken."""
        with self.database.transaction() as tx:
            tx.execute(
                "INSERT INTO endpoints (id, container_id, network_id, record) VALUES (?, ?, ?, ?)",
                (endpoint.id, endpoint.container_id, endpoint.network_id, msgspec.json.encode(endpoint)),
            )
            tx.executemany(
                "INSERT INTO port_leases (proto, host_ip, port, container_id, target) VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        lease.proto,
                        lease.host_ip,
                        lease.port,
                        endpoint.container_id,
                        f"{lease.target}/{lease.proto}",
                    )
                    for lease in endpoint.leases
                    if lease.port
                ],
            )

    def update_endpoint(self, endpoint: EndpointRecord) -> None:
        """Replaces what was known of an endpoint."""
        with self.database.transaction() as tx:
            tx.execute(
                "UPDATE endpoints SET record = ? WHERE id = ?", (msgspec.json.encode(endpoint), endpoint.id)
            )

    def update_leases(self, *endpoints: EndpointRecord) -> None:
        """Replaces endpoints of one container with their host ports. Raises sqlite3.IntegrityError."""
        with self.database.transaction() as tx:
            for endpoint in endpoints:
                tx.execute("DELETE FROM endpoints WHERE id = ?", (endpoint.id,))
                tx.execute("DELETE FROM port_leases WHERE container_id = ?", (endpoint.container_id,))
            for endpoint in endpoints:
                self.insert_endpoint(endpoint)

    def delete_endpoint(self, endpoint: EndpointRecord) -> None:
        """Removes an endpoint and its host ports."""
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM endpoints WHERE id = ?", (endpoint.id,))
            # Of a container's endpoints one at most has ports.
            if endpoint.leases:
                tx.execute("DELETE FROM port_leases WHERE container_id = ?", (endpoint.container_id,))

    def delete_stray_leases(self) -> None:
        """Removes host ports of containers without an endpoint."""
        with self.database.transaction() as tx:
            tx.execute(
                "DELETE FROM port_leases WHERE container_id NOT IN (SELECT container_id FROM endpoints)"
            )
