internal import Foundation

/// What moves the dataset of a trial.
package enum TrialMover: Sendable, CaseIterable {
  case dtx
  case rsync
  /// With `--fsync`, which syncs each file when it is complete.
  case rsyncWithSync

  package var name: String {
    switch self {
    case .dtx: "dtx push"
    case .rsync: "rsync -a"
    case .rsyncWithSync: "rsync -a --fsync"
    }
  }

  /// The command line, at 20 MB/s: a transfer of some seconds has several commits in it.
  ///
  /// - Parameters:
  ///   - program: dtx.
  ///   - source: a directory.
  ///   - target: a directory.
  ///   - isPaced: whether it is to take its time.
  ///   - isBuffered: whether dtx leaves large files to the page cache, too.
  /// - Returns: the program and its arguments.
  func arguments(
    program: String,
    source: String,
    target: String,
    isPaced: Bool,
    isBuffered: Bool
  ) -> [String] {
    switch self {
    case .dtx:
      let pace = isPaced ? ["--rate", "160M"] : []
      let way = ["--io", isBuffered ? "buffered" : "direct"]
      return [program, "push", "--json", "--block-size", "1MiB", "--lanes", "2"] + way + pace
        + ["\(source)/", target]
    case .rsync, .rsyncWithSync:
      let pace = isPaced ? ["--bwlimit=20000"] : []
      let sync = self == .rsyncWithSync ? ["--fsync"] : []
      return ["rsync", "-a", "--stats"] + sync + pace + ["\(source)/", "\(target)/"]
    }
  }

  /// The command line that compares all content with the source's, and puts right what differs.
  func mendingArguments(program: String, source: String, target: String) -> [String] {
    switch self {
    case .dtx: [program, "verify", "--json", "--repair", "\(source)/", target]
    case .rsync, .rsyncWithSync:
      ["rsync", "-a", "--stats", "--checksum", "\(source)/", "\(target)/"]
    }
  }

  /// What a run that printed these lines sent of the dataset's bytes; nil where it does not say.
  func sentByteCount(_ lines: [Substring]) -> Int? {
    switch self {
    case .dtx:
      guard let data = lines.last.map({ Data($0.utf8) }),
        let summary = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
      else { return nil }
      return summary["bytes_sent"] as? Int ?? summary["bytes_moved"] as? Int
    case .rsync, .rsyncWithSync:
      let label = "Literal data: "
      guard let line = lines.first(where: { $0.hasPrefix(label) }) else { return nil }
      return Int(line.dropFirst(label.count).prefix { $0 != " " }.filter(\.isNumber))
    }
  }
}
