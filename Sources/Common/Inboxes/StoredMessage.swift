/// A message that waits in the inboxes of its clients until their devices have acknowledged it, or it expires. The same
/// value for all clients of one push; the place it gets in each inbox is that inbox's own.
package struct StoredMessage: Hashable, Sendable {
    /// The push it belongs to. A push that is run again is recognised by it.
    package var push: UUIDv7
    /// One JSON value.
    package var data: [UInt8]
    /// Unix milliseconds of the push.
    package var timestampMilliseconds: UInt64
    /// Unix milliseconds; from then on it is given to nobody. The store never keeps it longer than
    /// `Limits.inboxAge` after the push.
    package var expiresAtMilliseconds: UInt64
    /// A newer message with this key takes the place of an older one that some device has not acknowledged.
    package var collapseKey: String?
    /// Set when another client sent it.
    package var from: ClientID?
    /// The job whose acknowledgements it counts for.
    package var job: JobID?
    /// 32 hex digits, W3C Trace Context; empty when the caller has none.
    package var traceID: String

    package init(
        push: UUIDv7, data: [UInt8], timestampMilliseconds: UInt64, expiresAtMilliseconds: UInt64,
        collapseKey: String? = nil, from: ClientID? = nil, job: JobID? = nil, traceID: String = ""
    ) {
        self.push = push
        self.data = data
        self.timestampMilliseconds = timestampMilliseconds
        self.expiresAtMilliseconds = expiresAtMilliseconds
        self.collapseKey = collapseKey?.isEmpty == true ? nil : collapseKey
        self.from = from
        self.job = job
        self.traceID = traceID
    }

    /// The end that the store keeps to, Unix milliseconds: the message's own, or the longest there is.
    package func end(within limits: Limits) -> UInt64 {
        min(expiresAtMilliseconds, timestampMilliseconds + limits.inboxAge.wholeMilliseconds)
    }
}

/// What became of a stored message in the inbox of one client.
package enum StoreResult: Equatable, Sendable {
    /// It waits in the inbox under this id. `previous` is the entry that lay before it, nil when the inbox was empty:
    /// a session that was sent everything up to `previous` misses nothing in between. `sessions` are those of the same
    /// moment: a device that is not among them gets the message with its next claim. `isRepeat`: it was there already,
    /// from an earlier run of the same push.
    case stored(id: StreamPosition, previous: StreamPosition?, isRepeat: Bool, sessions: [Route])
    /// An earlier run of a newer push with the same collapse key has taken its place; nothing was written. Only for
    /// repeats.
    case replaced
    /// It expired before it could be stored; nothing was written.
    case expired
    /// Nobody knows whether it was written. Ask again with `isRepeat`.
    case failed(WindfireError)
}

/// A device has everything up to here.
package struct Acknowledgement: Hashable, Sendable {
    package let client: ClientID
    package let device: DeviceID
    package let upTo: StreamPosition

    package init(client: ClientID, device: DeviceID, upTo: StreamPosition) {
        self.client = client
        self.device = device
        self.upTo = upTo
    }
}

package enum AcknowledgeResult: Equatable, Sendable {
    /// The device's cursor is here now: at what it named, further on if it had been there before, or at the last
    /// stored message if it named the future. `first` counts, by job, the messages that no device of the client had
    /// acknowledged before.
    case acknowledged(upTo: StreamPosition, first: [JobID: Int])
    /// Nobody knows whether it was written. Ask again: a cursor never goes back. Messages that were counted in an
    /// answer that was lost are not counted again.
    case failed(WindfireError)
}
