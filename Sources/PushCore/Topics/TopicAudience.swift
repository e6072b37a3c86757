/// The sessions that a message of one topic goes to, as they were when it was published: what a fan-out goes through in
/// slices, while sessions come and go.
///
/// For one matching pattern this is the index's own list, kept, not copied. Who subscribes or leaves while it is kept
/// makes the index copy the list, once for each audience (8 bytes a session: some 10 µs for 15,000).
@usableFromInline package struct TopicAudience: RandomAccessCollection {
    @usableFromInline let members: [SubscriptionTable.Member]

    init(_ members: [SubscriptionTable.Member]) { self.members = members }

    @inlinable package var startIndex: Int { 0 }
    @inlinable package var endIndex: Int { members.count }
    @inlinable package subscript(position: Int) -> SubscriberSlot { members[position].slot }
}
