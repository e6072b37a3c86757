import Common
import NodeRPC

/// What operators ask and order. Reads of the registry and the route store, calls to nodes; no state of its own.
package struct Operations: Sendable {
    private let registry: any Registry
    private let routes: any RouteStore
    private let nodes: any NodeCaller

    package init(registry: any Registry, routes: any RouteStore, nodes: any NodeCaller) {
        self.registry = registry
        self.routes = routes
        self.nodes = nodes
    }

    /// - Parameter now: Unix milliseconds.
    /// - Throws: `routes_unavailable`, `registry_unavailable`.
    package func online(now: UInt64) async throws(WindfireError) -> OnlineReport {
        let members = try knownMembers()
        let loads = try await routes.loads()
        // Incarnations that are gone and not yet buried still have routes: ghosts, which the difference must show.
        let gone = try await routes.announcedIncarnations().filter { !members.contains($0) }
        let incarnations = (members.byID.values.map(\.incarnation) + gone).sorted()
        let counts = await incarnations.concurrentMap(atOnce: 8) {
            [routes] incarnation -> Result<Int, WindfireError> in
            do throws(WindfireError) {
                return .success(try await routes.sessionCounts(of: incarnation).values.reduce(0, +))
            } catch {
                return .failure(error)
            }
        }
        var reports: [OnlineReport.Node] = []
        for (incarnation, count) in zip(incarnations, counts) {
            let member = members.byID[incarnation.node].flatMap { $0.incarnation == incarnation ? $0 : nil }
            let load = member.flatMap { _ in LoadReport(loads[incarnation.node], of: incarnation, now: now) }
            reports.append(
                OnlineReport.Node(
                    id: incarnation.node, incarnation: incarnation, online: load?.online ?? 0,
                    routes: try count.get(), state: member.map { NodeState($0.state) } ?? .gone,
                    weight: member?.weight ?? 0, load: load))
        }
        let online = reports.reduce(0) { $0 + $1.online }
        let routed = reports.reduce(0) { $0 + $1.routes }
        return OnlineReport(online: online, routes: routed, difference: online - routed, nodes: reports)
    }

    /// - Throws: `registry_unavailable`. A route store that is away only leaves the load out.
    package func nodes(now: UInt64) async throws(WindfireError) -> NodesReport {
        let members = try knownMembers()
        let loads = (try? await routes.loads()) ?? [:]
        return NodesReport(
            isCurrent: registry.state.isConnected,
            nodes: members.sorted.map { member in
                NodesReport.Node(
                    id: member.id, incarnation: member.incarnation, state: NodeState(member.state),
                    weight: member.weight, capacity: member.capacity, zone: member.zone, endpoints: member.endpoints,
                    version: member.version, startedAt: member.startedAt,
                    load: LoadReport(loads[member.id], of: member.incarnation, now: now))
            })
    }

    /// - Throws: `routes_unavailable`, `registry_unavailable`.
    package func sessions(of client: ClientID) async throws(WindfireError) -> ClientReport {
        let members = try knownMembers()
        let located = try await routes.locate([client]).first ?? []
        let sessions = located.sorted { $0.device < $1.device }.map { route in
            let member = members.byID[route.incarnation.node].flatMap {
                $0.incarnation == route.incarnation ? $0 : nil
            }
            return ClientReport.Session(
                device: route.device, node: route.incarnation.node, incarnation: route.incarnation,
                state: member.map { NodeState($0.state) } ?? .gone, session: route.session.description,
                connectedAtMilliseconds: route.epoch.value / 1_000)
        }
        return ClientReport(client: client, isOnline: sessions.contains { $0.state != .gone }, sessions: sessions)
    }

    /// Closes a client's sessions, or those of one device. The nodes release the routes as connections end.
    /// - Throws: `routes_unavailable`, `registry_unavailable`.
    package func kick(_ client: ClientID, device: DeviceID?) async throws(WindfireError) -> KickReport {
        let members = try knownMembers()
        let located = try await routes.locate([client]).first ?? []
        let plan = DeliveryPlan(located: [located.filter { device == nil || $0.device == device }], members: members)
        var kicked = 0
        var failed: [KickReport.Failure] = []
        for batch in plan.batches {
            do throws(WindfireError) {
                kicked += try await nodes.kick(batch.sessions.map(\.route.session), for: .kicked, on: batch.member)
            } catch  where error.code == .notFound {
                // Another life of the node: those sessions are gone already.
                continue
            } catch {
                failed += batch.sessions.map {
                    KickReport.Failure(device: $0.route.device, node: batch.member.id, reason: error.code.name)
                }
            }
        }
        return KickReport(client: client, kicked: kicked, failed: failed)
    }

    private func knownMembers() throws(WindfireError) -> Members {
        let members = registry.members(.push)
        guard members.isKnown else {
            throw WindfireError(
                .registryUnavailable, "the list of push servers was not read yet", retryAfter: .seconds(1))
        }
        return members
    }
}
