/// Whether the sender compresses what it sends, as the user chose.
package enum Compression: Equatable, Sendable {
  /// Every block goes as it is.
  case off
  /// A block is compressed where that makes the transfer faster.
  case auto
  /// Every block is compressed, at this level of zstd's.
  case level(Int)

  /// The levels that a user may ask for: zstd's own, but for those above 19, which take memory
  /// that grows with them, and those below 1, which only let go of what level 1 would save.
  package static let levels = 1...19

  /// What `auto` compresses at.
  ///
  /// On 16-bit samples of noise level 3 takes three times as long and makes 4 % less of them, and the
  /// thread has to keep up with the path.
  package static let automaticLevel = 1

  /// The level that a block is compressed at, if it is; nil where none ever is.
  package var blockLevel: Int? {
    switch self {
    case .off: nil
    case .auto: Compression.automaticLevel
    case .level(let level): level
    }
  }

  /// As on the command line.
  package var name: String {
    switch self {
    case .off: "off"
    case .auto: "auto"
    case .level(let level): "\(level)"
    }
  }

  /// Reads what stands on a command line; nil for what is no mode.
  ///
  /// - Parameter name: `auto`, `off` or a level in decimal digits.
  package init?(name: String) {
    switch name {
    case "off": self = .off
    case "auto": self = .auto
    default:
      guard name.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let level = Int(name),
        Compression.levels.contains(level)
      else { return nil }
      self = .level(level)
    }
  }

  /// The byte of the request: 0 is off, 255 auto, anything between a level.
  package var rawValue: UInt8 {
    switch self {
    case .off: 0
    case .auto: 255
    case .level(let level): UInt8(level)
    }
  }

  /// Reads the byte of the request; nil for a level that there is not.
  package init?(rawValue: UInt8) {
    switch rawValue {
    case 0: self = .off
    case 255: self = .auto
    case let level where Compression.levels.contains(Int(level)): self = .level(Int(level))
    default: return nil
    }
  }
}
