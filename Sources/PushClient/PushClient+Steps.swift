import Common
import Foundation
import Logging
import NIOCore

// Doing what the state machine decides, and telling it what happened. Everything here runs on the client's event loop.
extension PushClient {
    var activeConnection: Int? {
        if case .linked(let link) = machine.state { link.connection } else { nil }
    }

    var activeWire: Wire? { activeConnection.flatMap { wires[$0] } }

    func perform(_ step: ClientStateMachine.Step) {
        switch step {
        case .none: break
        case .fetchToken: fetchToken()
        case .dial(let connection, let node): dial(node, as: connection)
        case .hello(let connection, let token):
            wires[connection]?.send(
                .hello(token: token, device: device, takesInbox: configuration.takesStoredMessages))
        case .presentToken(let connection, let token):
            wires[connection]?.send(.token(token, ref: refs.next()))
        case .ping(let connection): wires[connection]?.send(.ping)
        case .leave(let connection): wires.removeValue(forKey: connection)?.leave()
        case .drop(let connection):
            wires.removeValue(forKey: connection)?.drop()
            connectionOfTopicsEnded(connection)
            requests.fail(of: connection)
        case .finish: finish()
        }
        publishState()
        scheduleTimer()
    }

    /// What `hello` names. A provider's token carries the device in itself.
    private var device: String? {
        if case .secret(_, _, let device, _) = configuration.login { device } else { nil }
    }

    private func fetchToken() {
        Task { [weak self, tokens] in
            do throws(PushClientError) {
                await self?.tokenFetched(try await tokens.fetch())
            } catch {
                await self?.tokenFailed(error)
            }
        }
    }

    private func tokenFetched(_ assignment: Assignment) {
        let lifetime = Duration.seconds(assignment.expiresAt - Date().timeIntervalSince1970)
        perform(machine.tokenFetched(assignment, lifetime: lifetime, now: .now, random: .random(in: 0..<1)))
    }

    private func tokenFailed(_ error: PushClientError) {
        if activeConnection == nil { lastFailure = error }
        logger.debug("no token", metadata: [Logger.Metadata.Key.reason: "\(error.code ?? error.kind.description)"])
        perform(machine.tokenFailed(error, now: .now, random: .random(in: 0..<1)))
    }

    private func dial(_ node: Node, as connection: Int) {
        logger.debug("dialling", metadata: [Logger.Metadata.Key.node: "\(node.id)"])
        guard let url = WebSocketURL(node.url) else {
            // Not at once: the machine is told of what it asked for only after it has asked.
            let failure = PushClientError(.badAnswer, "the node's address is not one of WebSocket")
            loop.execute { [weak self] in self?.tell(.ended(ConnectionEnd(failure: failure)), of: connection) }
            return
        }
        let channel = dialer.dial(url) { [weak self] event in self?.tell(event, of: connection) }
        channel.whenComplete { [weak self] result in
            switch result {
            case .success(let channel):
                guard let self else { return channel.close(promise: nil) }
                self.assumeIsolated { $0.connected(Wire(channel: channel), connection) }
            case .failure(let error):
                self?.tell(.ended(ConnectionEnd(failure: error as? PushClientError)), of: connection)
            }
        }
    }

    private nonisolated func tell(_ event: WireEvent, of connection: Int) {
        assumeIsolated { $0.received(event, of: connection) }
    }

    private func connected(_ wire: Wire, _ connection: Int) {
        guard machine.concerns(connection) else { return wire.drop() }
        wires[connection] = wire
        if isReadingPaused { wire.setReading(false) }
    }

    private func received(_ event: WireEvent, of connection: Int) {
        switch event {
        case .opened: perform(machine.opened(connection))
        case .heard: machine.heard(connection, now: .now)
        case .text(let bytes):
            machine.heard(connection, now: .now)
            guard let frame = ServerFrame(bytes) else {
                logger.debug("frame not understood", metadata: [Logger.Metadata.Key.count: "\(bytes.count)"])
                return
            }
            received(frame, of: connection)
        case .ended(var end):
            wires.removeValue(forKey: connection)
            if let refusal = refusals.removeValue(forKey: connection) {
                end.name = refusal.code
                end.message = refusal.message
                end.advice = refusal.advice
                end.retryAfter = refusal.retryAfter ?? end.retryAfter
            }
            requests.fail(of: connection)
            logger.debug(
                "connection ended",
                metadata: [
                    Logger.Metadata.Key.reason: "\(end.number ?? 1006)",
                    Logger.Metadata.Key.error: "\(end.error.code ?? end.error.kind.description)",
                ])
            perform(machine.ended(connection, end, now: .now, random: .random(in: 0..<1)))
            connectionOfTopicsEnded(connection)
            if activeConnection == nil { lastFailure = end.error }
        }
    }

    private func received(_ frame: ServerFrame, of connection: Int) {
        switch frame {
        case .welcome(_, let heartbeat):
            perform(machine.welcomed(connection, heartbeat: heartbeat, now: .now))
            if activeConnection == connection { lastFailure = nil }
            if activeConnection == connection, let id = heldAcknowledgement {
                heldAcknowledgement = nil
                acknowledge(upTo: id)
            }
            // The last acknowledgement may have been lost with its connection.
            if activeConnection == connection, let id = cursor.text { wires[connection]?.send(.acknowledge(id: id)) }
            if activeConnection == connection {
                subscriptions.welcomed(connection, now: .now)
                sayDueSubscriptions()
            }
        case .message(let message): if isNew(message, on: connection) { show(message) }
        case .batch(let topic, let messages, let leftOut):
            for message in subscriptions.receive(messages, of: topic, leftOut: leftOut, on: connection) {
                show(message)
            }
        case .gap(let missed): missedMessages = missedMessages.addingSaturated(missed)
        case .topicGap(let gap): received(gap, of: connection)
        case .pong: requests.ponged(by: connection)
        case .ok(let ref, let delivered, let position):
            requests.answered(ref, .success(delivered ?? 0))
            performTopics(subscriptions.accepted(ref, position: position))
        case .error(let ref?, let refusal):
            requests.answered(ref, .failure(PushClientError(.refused, refusal.message, code: refusal.code)))
            performTopics(subscriptions.refused(ref, refusal, now: .now, random: .random(in: 0..<1)))
        // The reason of a close says whether to come back. What does not is news, as of a subscription that is over.
        case .error(nil, let refusal) where refusal.advice != nil: refusals[connection] = refusal
        case .error(nil, let refusal):
            logger.warning(
                "the server says: \(refusal.message)", metadata: [Logger.Metadata.Key.error: "\(refusal.code)"])
        case .move(let node, let after):
            machine.moveAsked(connection, to: node, after: after, now: .now)
            scheduleTimer()
        case .unknown: break
        }
    }

    private func isNew(_ message: Message, on connection: Int) -> Bool {
        switch message.wantsAcknowledgement ? cursor.receive(message.id) : nil {
        case .new: return true
        case .shown(let acknowledge):
            if acknowledge, let id = cursor.text { wires[connection]?.send(.acknowledge(id: id)) }
            return false
        case nil:
            return message.topic == nil
                ? recent.insert(message.id) : subscriptions.receive(message, on: connection)
        }
    }

    private func show(_ message: Message) {
        if !queue.push(message), !isReadingPaused { setReading(false) }
    }

    func setReading(_ isReading: Bool) {
        isReadingPaused = !isReading
        for wire in wires.values { wire.setReading(isReading) }
    }

    private func finish() {
        timer?.task.cancel()
        timer = nil
        if let connection = subscriptions.connection { _ = subscriptions.ended(connection) }
        waiters.settleAll(.failure(PushClientError(.notConnected, "the client is closed")))
        notices.finish()
        for wire in wires.values { wire.leave() }
        wires = [:]
        requests.failAll()
        queue.finish()
    }

    private func publishState() {
        switch machine.state {
        case .idle: broadcast.publish(.idle)
        case .fetching, .attempting: broadcast.publish(.connecting)
        case .linked(let link): broadcast.publish(.connected(node: link.node.id))
        case .waiting(let until, _): broadcast.publish(.waiting(until: until))
        case .closed(let ending): broadcast.publish(.closed(ending))
        }
    }

    /// One timer, for the next deadline. It is moved only forward in urgency: deadlines that were put off (each message
    /// puts the liveness check off) are found put off when it fires, so that a message costs no timer.
    func scheduleTimer() {
        let deadlines = [machine.nextDeadline, subscriptions.nextDeadline].compactMap(\.self)
        guard let deadline = deadlines.min() else { return }
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let delay = max(.zero, ContinuousClock.now.duration(to: deadline))
        let task = loop.scheduleTask(in: TimeAmount(delay)) { [weak self] in
            guard let self else { return }
            self.assumeIsolated { $0.timerFired() }
        }
        timer = (deadline, task)
    }

    private func timerFired() {
        timer = nil
        perform(machine.deadlineReached(now: .now, random: .random(in: 0..<1), isReadingPaused: isReadingPaused))
        sayDueSubscriptions()
    }
}
