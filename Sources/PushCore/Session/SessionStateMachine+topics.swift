// What a device asks about topics, and whether its token allows that. Who is subscribed to what is the shard's to know
// (`TopicIndex`).

import Common
import NIOCore

extension SessionStateMachine {
    func subscribe(_ pattern: TopicPattern, since: HistoryPosition?, ref: Reference?) -> EventAction {
        do throws(WindfireError) {
            guard since == nil || !pattern.isWildcard else {
                throw WindfireError(.invalidRequest, "since goes with one topic, not with a pattern")
            }
            try permissions.checkSubscribe(to: pattern)
            return .subscribe(pattern, since: since, ref: ref)
        } catch {
            return .send(.error(error.code, message: error.message, ref: ref))
        }
    }

    func publish(_ topic: Topic, _ data: ByteBuffer, ref: Reference?) -> EventAction {
        do throws(WindfireError) {
            try permissions.checkPublish(to: topic)
            return .publish(topic, data: data, ref: ref)
        } catch {
            return .send(.error(error.code, message: error.message, ref: ref))
        }
    }

    private var permissions: SessionPermissions { liveIdentity?.permissions ?? .none }
}
