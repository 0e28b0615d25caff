import ArgumentParser
import DTXCore
import DTXEngine

/// What stands behind an option, read from its text; each throws what is wrong with it.
enum ArgumentValue {
  /// A place here or behind ssh.
  static func endpoint(_ text: String) throws -> Endpoint {
    if text.hasPrefix("dtx://") {
      throw ValidationError("a place is a path or [user@]host:path, not a URL")
    }
    guard let endpoint = Endpoint(argument: ArgumentText.bytes(of: text)) else {
      throw ValidationError(
        "a place is a path or [user@]host:path, and a host does not begin with '-'"
      )
    }
    return endpoint
  }

  /// A path on this machine.
  static func path(_ text: String) throws -> [UInt8] {
    guard !text.isEmpty else { throw ValidationError("a path has at least one byte") }
    return ArgumentText.bytes(of: text)
  }

  static func rate(_ text: String) throws -> Rate {
    guard let rate = Quantity.rate(text) else {
      throw ValidationError("a rate is in bits per second, such as 10G, 50Mbit or 1Gibit")
    }
    return rate
  }

  static func blockByteCount(_ text: String) throws -> UInt64 {
    guard let byteCount = Quantity.byteCount(text) else {
      throw ValidationError("a size is in bytes, such as 16MiB or 4MB")
    }
    let allowed = Limits.minimumBlockByteCount...Limits.maximumBlockByteCount
    guard allowed.contains(byteCount) else {
      throw ValidationError("a block has 64KiB to 1GiB")
    }
    return byteCount
  }

  static func nullSource(_ text: String) throws -> NullDataset {
    guard let byteCount = Quantity.byteCount(text) else {
      throw ValidationError("a size is in bytes, such as 10GiB or 1TB")
    }
    guard let null = NullDataset(byteCount: byteCount) else {
      throw ValidationError("a made-up dataset has 1 byte to \(NullDataset.fileLimit) GiB")
    }
    return null
  }

  static func laneCount(_ text: String) throws -> Int {
    guard let count = Int(text), (1...Limits.laneCount).contains(count) else {
      throw ValidationError("there are 1 to \(Limits.laneCount) lanes")
    }
    return count
  }

  /// A port, or the first and last of a range.
  static func ports(_ text: String) throws -> ClosedRange<UInt16> {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { UInt16($0) }
    guard parts.count <= 2, numbers.count == parts.count, let first = numbers.first,
      let last = numbers.last, first > 0, first <= last
    else {
      throw ValidationError("a port is 1 to 65535, a range two of them: 5000-5009")
    }
    return first...last
  }

  static func listeningEnd(_ text: String) throws -> ListeningEnd {
    guard let end = ListeningEnd(rawValue: text) else {
      throw ValidationError("the end that listens is local or remote")
    }
    return end
  }

  static func changePolicy(_ text: String) throws -> ChangePolicy {
    guard let policy = ChangePolicy(rawValue: text) else {
      throw ValidationError("what a change leads to is fail, retry or skip")
    }
    return policy
  }

  static func cipher(_ text: String) throws -> Cipher {
    guard let cipher = Cipher.allCases.first(where: { $0.name == text }) else {
      throw ValidationError("a cipher is aes-256-gcm or none")
    }
    return cipher
  }

  static func compression(_ text: String) throws -> Compression {
    guard let compression = Compression(name: text) else {
      let levels = Compression.levels
      throw ValidationError(
        "compression is auto, off or a level from \(levels.lowerBound) to \(levels.upperBound)"
      )
    }
    return compression
  }

  static func verification(_ text: String) throws -> VerificationLevel {
    switch text {
    case "memory": return .memory
    case "durable": return .durable
    case "media": return .media
    default: throw ValidationError("a level is memory, durable or media")
    }
  }

  static func readLevel(_ text: String) throws -> VerificationLevel {
    switch text {
    case "memory": return .memory
    case "media": return .media
    default: throw ValidationError("a level is media or memory")
    }
  }

  static func storage(_ text: String) throws -> StorageMode {
    guard let mode = StorageMode.allCases.first(where: { $0.name == text }) else {
      throw ValidationError("a mode is auto, buffered, direct or ring")
    }
    return mode
  }

  static func deadline(_ text: String) throws -> Deadline {
    guard let deadline = Deadline(text) else {
      throw ValidationError(
        "a deadline is a duration, such as 2h, or a time, such as 2026-11-23T18:00:00Z"
      )
    }
    return deadline
  }

  /// Nanoseconds.
  static func duration(_ text: String) throws -> UInt64 {
    guard let nanoseconds = Quantity.nanoseconds(text), nanoseconds < 3600 * Duration.second else {
      throw ValidationError("a time is such as 12ms or 2s, and below an hour")
    }
    return nanoseconds
  }

  /// What must not be empty, nor be taken for an option by the program that it is handed to.
  static func word(_ text: String) throws -> String {
    guard !text.isEmpty, !text.hasPrefix("-") else {
      throw ValidationError("this is neither empty nor begins with '-'")
    }
    return text
  }

  /// A command line in words, as rsync takes one apart: at spaces, but for those in quotes.
  static func words(_ text: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in text {
      if character == quote {
        quote = nil
      } else if quote != nil {
        word = (word ?? "") + String(character)
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        if let complete = word { words.append(complete) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if quote != nil { throw ValidationError("a quote is not closed") }
    if let complete = word { words.append(complete) }
    guard let program = words.first, !program.isEmpty else {
      throw ValidationError("a remote shell has a name")
    }
    return words
  }
}
