import Common

/// All that a publisher decides: a lane for each target, a link for each node, the copy of the patterns, the bounds.
/// Pure: what happens goes in, with the time and the list of nodes; what is to be done comes out.
///
/// The way of a message: `submit` puts it into its lane; the lane's look-up finds its nodes (`lookedUp`), after a new
/// reading of the patterns if they have changed (`patternsRead`); it is put into the link of each node, whose calls
/// carry it (`answered`, `failed`); and when its ticket has all answers, `settled` gives its room free.
struct PublishDesk<Ticket: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Bounds: Sendable {
        /// Messages for one target that are not settled.
        var perTargetMax = Limits.default.publishesPerTopicMax
        /// Of all messages that are not settled, with `PublishCost.overheadBytes` each.
        var bytesMax = Limits.default.publishBytesMax
        var link = NodeLink<Ticket>.Bounds()

        init() {}

        init(_ limits: Limits) {
            perTargetMax = limits.publishesPerTopicMax
            bytesMax = limits.publishBytesMax
            link.waitingBytesMax = limits.publishBytesMax / 2
        }
    }

    enum Action: Sendable {
        /// Ask the store where these go, and answer with `lookedUp`. For everyone there is nothing to ask but, when
        /// `needsLoads`, how many sessions the nodes have.
        case lookUp(PublishTarget, [TopicMessage], keeping: TopicRule.History?, needsLoads: Bool)
        /// Answer with `patternsRead`.
        case readPatterns
        /// Answer with `answered` or `failed`.
        case call(Member, NodeLink<Ticket>.Call)
        case forget(Set<Incarnation>, Topic?)
    }

    /// What a look-up found.
    enum Reach: Sendable {
        case topic(TopicReach)
        /// By node; empty when nobody has set a rate.
        case everyone(loads: [NodeID: NodeLoad])
    }

    struct Effects {
        var news: [(ticket: Ticket, news: PublishTally.News)] = []
        var actions: [Action] = []
    }

    private let rules: TopicRules
    private let bounds: Bounds
    /// Is asked also when the registry does not list it, and alone when it cannot be found out whom to ask.
    private let ownNode: Member?
    private let drawLink: @Sendable () -> UInt64
    private var lanes: [PublishTarget: TopicLane<Ticket>] = [:]
    private var links: [Incarnation: NodeLink<Ticket>] = [:]
    private var patterns = PatternCopy()
    /// Look-ups that wait for the patterns.
    private var parked: [PublishTarget: TopicReach] = [:]
    private var gone = GoneNodes()
    private(set) var openBytes = 0

    init(
        rules: TopicRules = .none, bounds: Bounds = Bounds(), ownNode: Member? = nil,
        drawLink: @escaping @Sendable () -> UInt64
    ) {
        self.rules = rules
        self.bounds = bounds
        self.ownNode = ownNode
        self.drawLink = drawLink
    }

    /// Messages that are not settled.
    var openCount: Int { lanes.values.reduce(0) { $0 + $1.openCount } }
    var laneCount: Int { lanes.count }
    var linkCount: Int { links.count }

    // MARK: Submitting

    /// Takes all of the messages, or none.
    /// - Throws: `overloaded`; `payload_too_large` when they would never fit.
    mutating func submit(_ publishes: [PendingPublish<Ticket>]) throws(WindfireError) -> Effects {
        let cost = publishes.reduce(0) { $0 + $1.cost }
        var counts: [PublishTarget: Int] = [:]
        for publish in publishes { counts[publish.target, default: 0] += 1 }
        guard cost <= bounds.bytesMax, counts.values.allSatisfy({ $0 <= bounds.perTargetMax }) else {
            throw WindfireError(.payloadTooLarge, "this is more than may be on its way at once; publish it in parts")
        }
        guard openBytes + cost <= bounds.bytesMax else {
            throw WindfireError(.overloaded, "too many published messages are on their way", retryAfter: .seconds(1))
        }
        guard counts.allSatisfy({ (lanes[$0]?.openCount ?? 0) + $1 <= bounds.perTargetMax }) else {
            throw WindfireError(
                .overloaded, "too many messages are on their way to one topic", retryAfter: .seconds(1))
        }
        openBytes += cost
        for publish in publishes {
            if lanes[publish.target] == nil { lanes[publish.target] = newLane(for: publish.target) }
            lanes[publish.target]?.add(publish)
        }
        var effects = Effects()
        // In their order of appearance, each target once: a lane whose look-up has begun has nothing more to ask.
        for publish in publishes { beginLookup(for: publish.target, &effects) }
        return effects
    }

    private func newLane(for target: PublishTarget) -> TopicLane<Ticket> {
        TopicLane(history: target.topic.flatMap { rules.rule(for: $0)?.history })
    }

    private mutating func beginLookup(for target: PublishTarget, _ effects: inout Effects) {
        guard let asked = lanes[target]?.beginLookup() else { return }
        effects.actions.append(
            .lookUp(
                target, asked.map(\.message), keeping: lanes[target]?.history,
                needsLoads: asked.contains { $0.perSecondMax != nil }))
    }

    /// Tickets have come to their end.
    mutating func settled(_ tickets: some Sequence<(target: PublishTarget, cost: Int)>) {
        for ticket in tickets {
            openBytes -= ticket.cost
            lanes[ticket.target]?.settled()
            if lanes[ticket.target]?.isIdle == true { lanes[ticket.target] = nil }
        }
    }

    // MARK: Finding the nodes

    /// A look-up has ended.
    mutating func lookedUp(
        _ target: PublishTarget, _ result: Result<Reach, WindfireError>, members: Members, isInTouch: Bool,
        now: Instant
    ) -> Effects {
        var effects = Effects()
        switch result {
        case .failure(let error):
            fail(target, error, &effects)
        case .success(.everyone(let loads)):
            sendToEveryone(loads, members, &effects)
        case .success(.topic(let reach)):
            switch patterns.need(reach.patternsVersion, for: target) {
            case .none: send(reach, to: target, members, isInTouch: isInTouch, now: now, &effects)
            case .read:
                parked[target] = reach
                effects.actions.append(.readPatterns)
            case .wait: parked[target] = reach
            }
        }
        return effects
    }

    /// The patterns were read, or could not be.
    mutating func patternsRead(
        _ result: Result<(rows: [PatternDirectory.Row], version: UInt64), WindfireError>, members: Members,
        isInTouch: Bool, now: Instant
    ) -> Effects {
        var effects = Effects()
        let readAgain: Bool
        switch result {
        case .success(let (rows, version)):
            let (ready, again) = patterns.read(rows, version: version)
            readAgain = again
            for target in ready {
                guard let reach = parked.removeValue(forKey: target) else { continue }
                send(reach, to: target, members, isInTouch: isInTouch, now: now, &effects)
            }
        case .failure(let error):
            let (refused, again) = patterns.failed()
            readAgain = again
            for target in refused {
                parked[target] = nil
                fail(target, error, &effects)
            }
        }
        if readAgain { effects.actions.append(.readPatterns) }
        return effects
    }

    private mutating func send(
        _ reach: TopicReach, to target: PublishTarget, _ members: Members, isInTouch: Bool, now: Instant,
        _ effects: inout Effects
    ) {
        guard case .topic(let topic) = target else { return }
        var byPattern: Set<Incarnation> = []
        patterns.directory.insertNodes(for: topic, into: &byPattern)
        if isInTouch {
            forget(reach.nodes, in: topic, members, now, &effects)
            forget(byPattern, in: nil, members, now, &effects)
        } else {
            gone.lostSight()
        }
        let nodes = reach.nodes.union(byPattern).compactMap { node -> Member? in
            if let member = members.byID[node.node], member.incarnation == node { return member }
            return node == ownNode?.incarnation ? ownNode : nil
        }
        let items = (lanes[target]?.endLookup() ?? []).enumerated().map { place, publish in
            (publish, place < reach.positions.count ? reach.positions[place] : nil)
        }
        for (publish, position) in items {
            effects.news.append(
                (publish.ticket, .reached(nodes: nodes.count, position: position, lookupFailure: nil)))
        }
        for member in nodes {
            add(
                items.map { publish, position in
                    NodeLink.Item(
                        publication: Publication(
                            to: .topic(topic), publish.message, at: position, traceID: publish.traceID),
                        ticket: publish.ticket)
                }, to: member, &effects)
        }
        dropLinks(but: members)
        beginLookup(for: target, &effects)
    }

    private mutating func forget(
        _ nodes: Set<Incarnation>, in topic: Topic?, _ members: Members, _ now: Instant, _ effects: inout Effects
    ) {
        let missing = nodes.filter { !members.contains($0) && $0 != ownNode?.incarnation }
        guard !missing.isEmpty else { return }
        let gone = gone.missing(missing, in: topic, now: now)
        if !gone.isEmpty { effects.actions.append(.forget(gone, topic)) }
    }

    private mutating func sendToEveryone(
        _ loads: [NodeID: NodeLoad], _ members: Members, _ effects: inout Effects
    ) {
        let nodes = members.sorted
        guard !nodes.isEmpty else {
            return fail(.everyone, WindfireError(.noNode, "there is no push server"), &effects)
        }
        let publishes = lanes[.everyone]?.endLookup() ?? []
        var items: [[NodeLink<Ticket>.Item]] = Array(repeating: [], count: nodes.count)
        for publish in publishes {
            effects.news.append(
                (publish.ticket, .reached(nodes: nodes.count, position: nil, lookupFailure: nil)))
            let shares = publish.perSecondMax.map { EveryoneRate.shares($0, among: nodes, loads: loads) }
            for place in nodes.indices {
                let publication = Publication(
                    to: .everyone(perSecondMax: shares?[place]), publish.message, traceID: publish.traceID)
                items[place].append(NodeLink.Item(publication: publication, ticket: publish.ticket))
            }
        }
        for (member, items) in zip(nodes, items) { add(items, to: member, &effects) }
        dropLinks(but: members)
        beginLookup(for: .everyone, &effects)
    }

    /// It could not be found out where the messages go. The publisher's own node gets them all the same.
    private mutating func fail(_ target: PublishTarget, _ error: WindfireError, _ effects: inout Effects) {
        let publishes = lanes[target]?.endLookup() ?? []
        if let ownNode {
            var items: [NodeLink<Ticket>.Item] = []
            for publish in publishes {
                effects.news.append((publish.ticket, .reached(nodes: 1, position: nil, lookupFailure: error)))
                let audience: Publication.Audience =
                    if case .topic(let topic) = target {
                        .topic(topic)
                    } else {
                        .everyone(perSecondMax: publish.perSecondMax.map { UInt32(clamping: $0) })
                    }
                items.append(
                    NodeLink.Item(
                        publication: Publication(to: audience, publish.message, traceID: publish.traceID),
                        ticket: publish.ticket))
            }
            add(items, to: ownNode, &effects)
        } else {
            effects.news += publishes.map { ($0.ticket, .refused(error)) }
        }
        beginLookup(for: target, &effects)
    }

    // MARK: Nodes

    private mutating func add(_ items: [NodeLink<Ticket>.Item], to member: Member, _ effects: inout Effects) {
        var link = links.removeValue(forKey: member.incarnation) ?? NodeLink(to: member, bounds: bounds.link)
        link.member = member
        for item in items where !link.add(item) {
            effects.news.append((item.ticket, .failed(member.id, .overloaded)))
        }
        appendCalls(of: &link, &effects)
        links[member.incarnation] = link
    }

    /// A call was answered; its tickets are told by whoever made it.
    mutating func answered(by node: Incarnation) -> Effects {
        var effects = Effects()
        guard var link = links.removeValue(forKey: node) else { return effects }
        link.answered()
        appendCalls(of: &link, &effects)
        links[node] = link
        return effects
    }

    /// A call failed; its tickets are told by whoever made it.
    mutating func failed(on node: Incarnation, _ code: FailureCode) -> Effects {
        var effects = Effects()
        guard var link = links.removeValue(forKey: node) else { return effects }
        effects.news = link.failed(code).map { ($0, .failed(node.node, code)) }
        appendCalls(of: &link, &effects)
        links[node] = link
        return effects
    }

    private func appendCalls(of link: inout NodeLink<Ticket>, _ effects: inout Effects) {
        while let call = link.nextCall(drawing: drawLink) { effects.actions.append(.call(link.member, call)) }
    }

    /// Links of lives that have ended go as soon as they have nothing to do.
    private mutating func dropLinks(but members: Members) {
        guard links.count > members.byID.count else { return }
        links = links.filter { node, link in
            members.contains(node) || node == ownNode?.incarnation || !link.isIdle
        }
    }
}
