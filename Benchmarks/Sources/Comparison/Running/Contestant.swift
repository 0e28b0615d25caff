/// One way to move a dataset, ready to be run.
package struct Contestant {
  /// Which processes are which end.
  package enum Ends {
    /// The program is one end, what it starts is the other.
    case programAndChildren
    /// The program is one end, this server is the other.
    case programAndDaemon(Daemon)
    /// Nobody can tell them apart, or there is one alone.
    case together
  }

  package var name: String
  package var arguments: [String]
  package var environment: [String: String] = [:]
  package var ends: Ends
  /// What its output has in it when it did what the race asks; nil where nothing is known of that.
  package var sign: String?
}

/// What a contestant has to do.
package struct Race: Sendable {
  package enum Protection: String, CaseIterable, Sendable {
    case plain, encrypted

    /// The cipher that dtx is told: by itself it has none between two places of one machine.
    package var cipher: String {
      switch self {
      case .plain: "none"
      case .encrypted: "aes-256-gcm"
      }
    }
  }

  package var dataset: Dataset
  package var protection: Protection
  /// Where the dataset is.
  package var source: String
  /// Where its copy shall be: a directory that is not there yet, in one that is.
  package var target: String
  /// The target's name below the directory that the servers serve.
  package var targetName: String

  package var name: String { "\(dataset.name.rawValue), \(protection.rawValue)" }
}
