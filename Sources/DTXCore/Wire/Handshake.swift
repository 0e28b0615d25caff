/// What each end says first on the control channel: dtx-protocol(7), "Hello".
package struct Hello: Equatable, Sendable {
  /// The bytes that begin every control stream; whatever else comes first is some other program.
  package static let magic: [UInt8] = Array("dtx\u{1}ctl\n".utf8)
  /// The versions of the protocol that this program speaks.
  package static let lowestVersion: UInt16 = 1
  package static let highestVersion: UInt16 = 1

  package var lowestVersion: UInt16
  package var highestVersion: UInt16
  /// Optional abilities; none is defined yet, and unknown ones are ignored.
  package var features: UInt64
  /// For people: the program and its release.
  package var implementation: String

  package init(
    lowestVersion: UInt16 = Hello.lowestVersion,
    highestVersion: UInt16 = Hello.highestVersion,
    features: UInt64 = 0,
    implementation: String
  ) {
    self.lowestVersion = lowestVersion
    self.highestVersion = highestVersion
    self.features = features
    self.implementation = implementation
  }

  /// The highest version that both ends speak; nil when there is none.
  package static func commonVersion(_ left: Hello, _ right: Hello) -> UInt16? {
    let highest = min(left.highestVersion, right.highestVersion)
    let lowest = max(left.lowestVersion, right.lowestVersion)
    return highest >= lowest ? highest : nil
  }

  /// The magic, a length, and the rest: so that a later version can add to it.
  package func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.append(lowestVersion)
    writer.append(highestVersion)
    writer.append(features)
    writer.appendCounted(implementation)
    var framed = ByteWriter()
    framed.appendRaw(Hello.magic)
    framed.append(UInt16(writer.byteCount))
    framed.appendRaw(writer.bytes)
    return framed.bytes
  }

  /// Reads what follows the magic and the length; later versions may have added bytes.
  package init(decoding bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    let lowest = try reader.uint16("lowest version")
    let highest = try reader.uint16("highest version")
    guard lowest <= highest else {
      throw reader.failure("versions", .invalid("the lowest is above the highest"))
    }
    self.init(
      lowestVersion: lowest,
      highestVersion: highest,
      features: try reader.uint64("features"),
      implementation: try reader.text("implementation", maximum: 255)
    )
  }
}

/// Who moves what: `pull` makes the initiator the receiver.
package enum Direction: UInt8, Sendable {
  /// The initiator sends.
  case push = 1
  /// The initiator receives.
  case pull = 2
}

/// How the lanes' records are protected.
///
/// The raw value stands in the request and in each opening.
package enum Cipher: UInt8, Sendable, CaseIterable {
  /// Records carry a checksum only: for paths that are trusted.
  case none = 0
  case aes256GCM = 1

  package var name: String {
    switch self {
    case .none: "none"
    case .aes256GCM: "aes-256-gcm"
    }
  }
}

/// How far a transfer must be proven before it counts as done.
package enum VerificationLevel: UInt8, Sendable, CaseIterable, Comparable {
  /// Digests checked in memory, bytes durable.
  case memory = 1
  /// The same, and the published tree's lengths and metadata checked.
  case durable = 2
  /// Read back past the page cache.
  case media = 3

  package var name: String {
    switch self {
    case .memory: "memory"
    case .durable: "durable"
    case .media: "media"
    }
  }

  package static func < (left: VerificationLevel, right: VerificationLevel) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Whether large files pass the page cache.
package enum StorageMode: UInt8, Sendable, CaseIterable {
  /// By what each end's file system is.
  case automatic = 0
  /// Never.
  case buffered = 1
  /// Wherever a file can be written so.
  case direct = 2
  /// The same, by a ring where the kernel gives one.
  case ring = 3

  package var name: String {
    switch self {
    case .automatic: "auto"
    case .buffered: "buffered"
    case .direct: "direct"
    case .ring: "ring"
    }
  }
}

/// What the initiator asks of the responder: all that both ends must know of a transfer.
package struct Request: Equatable, Sendable {
  package var direction: Direction
  /// The paths at the responder: the sources of a pull, the one destination of a push.
  package var paths: [[UInt8]]
  package var options: TransferOptions
  /// 32 bytes that only the two ends know.
  package var secret: [UInt8]
  /// Names the session in journals and openings; no secret.
  package var sessionID: [UInt8]
  /// The ports that the responder may listen on; 0 means any.
  package var ports: ClosedRange<UInt16>
  package var cipher: Cipher
  /// Lanes come from other addresses, or go to others, than the control channel.
  package var lanesHaveAddresses: Bool
  /// What is set on the connections of each lane.
  package var lanes: [LaneSettings]
  /// Where the initiator listens for lanes; nil where the responder does.
  package var doorway: Doorway?

  package init(
    direction: Direction,
    paths: [[UInt8]],
    options: TransferOptions,
    secret: [UInt8],
    sessionID: [UInt8],
    ports: ClosedRange<UInt16>,
    cipher: Cipher,
    lanesHaveAddresses: Bool = false,
    lanes: [LaneSettings] = [],
    doorway: Doorway? = nil
  ) {
    self.direction = direction
    self.paths = paths
    self.options = options
    self.secret = secret
    self.sessionID = sessionID
    self.ports = ports
    self.cipher = cipher
    self.lanesHaveAddresses = lanesHaveAddresses
    self.lanes = lanes
    self.doorway = doorway
  }
}

/// What a user chose, for whichever end needs it.
package struct TransferOptions: Equatable, Sendable {
  package var blockByteCount: UInt64 = Limits.defaultBlockByteCount
  package var isDryRun = false
  /// Compares digests instead of trusting size and time.
  package var comparesDigests = false
  package var verification: VerificationLevel = .durable
  /// Keeps user and group; the receiver must be privileged for it.
  package var preservesOwner = false
  /// The initiator lists what changes at the receiver, which says so entry by entry.
  package var listsChanges = false
  package var storage: StorageMode = .automatic
  /// Which blocks the sender compresses; the receiver takes compressed records in any case.
  package var compression: Compression = .auto
  /// What the sender makes up instead of reading a source; nil for a source.
  package var nullSource: NullDataset?
  /// The receiver takes and checks everything and keeps nothing.
  package var keepsNothing = false
  /// Include and exclude rules in order; the sender applies them.
  package var filters: [FilterRule] = []
  package init() {}
}

/// Where an end listens for lanes: what the responder says when it takes a request.
///
/// Port 0 and no address where the initiator listens.
package struct Acceptance: Equatable, Sendable {
  package var port: UInt16
  /// The addresses at which it may be met, likeliest first.
  package var addresses: [String]

  package init(port: UInt16, addresses: [String]) {
    self.port = port
    self.addresses = addresses
  }
}

/// What a dataset is called at its top: the sender says so before anything else.
package struct DatasetShape: Equatable, Sendable {
  /// The contents of one directory, whose own metadata belong to the destination; else entries
  /// that go below it by their names.
  package var isContents: Bool
  /// The top-level names, ascending; empty for contents.
  package var names: [[UInt8]]
  /// Whether there is exactly one entry and it is no directory: it may take the destination's name.
  package var isSingleFile: Bool

  package init(isContents: Bool, names: [[UInt8]], isSingleFile: Bool) {
    self.isContents = isContents
    self.names = names
    self.isSingleFile = isSingleFile
  }
}

/// What the receiver says of its end, once it holds the destination.
package struct DestinationReply: Equatable, Sendable {
  /// The name that a single file takes at the destination; nil for its own.
  package var singleFileName: [UInt8]?

  package init(singleFileName: [UInt8]?) {
    self.singleFileName = singleFileName
  }
}

/// How the lanes run, said by the initiator once one of them has been opened.
package struct LaneSettlement: Equatable, Sendable {
  /// One lane goes through the control channel: no port could be reached.
  package var usesControlChannel: Bool
  package var inputs: PlanInputs

  package init(usesControlChannel: Bool, inputs: PlanInputs) {
    self.usesControlChannel = usesControlChannel
    self.inputs = inputs
  }

  /// Why lanes are not those that a responder took; nil when they are.
  ///
  /// It took a share of its host's capacity for what was requested, and holds the lanes to that.
  ///
  /// - Parameter request: what it was asked for.
  /// - Returns: a reason, for people.
  package func problem(answering request: Request) -> String? {
    if usesControlChannel {
      let isOne = inputs.lanes.count == 1 && inputs.lanes[0].connectionCount == 1
      return isOne ? nil : "through the control channel goes one lane with one connection"
    }
    guard inputs.lanes.count == request.lanes.count else {
      return "\(inputs.lanes.count) lanes were settled, and \(request.lanes.count) requested"
    }
    for (index, (lane, settings)) in zip(inputs.lanes, request.lanes).enumerated() {
      guard (lane.rate == nil) == (settings.pacedRate == nil) else {
        return "lane \(index) has a rate in one of request and settlement only"
      }
      if let rate = lane.rate, let most = settings.mostPlanned, rate > most {
        return "lane \(index) is planned with more than was requested"
      }
    }
    return nil
  }
}
