import TestKit
import Testing

/// The suites that leave their server well share one, each test with a database of its own. One after the other,
/// because some change settings of the whole server for a moment.
@Suite(.mariaDB, .serialized) enum OnOneServer {}
