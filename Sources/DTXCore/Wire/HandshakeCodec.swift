/// The request's bytes: dtx-protocol(7), "Request".
package enum RequestCodec {
  package static func encode(_ request: Request) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(request.direction.rawValue)
    writer.appendVarint(request.paths.count)
    for path in request.paths { writer.appendCounted(path) }
    encode(request.options, into: &writer)
    writer.appendCounted(request.secret)
    writer.appendCounted(request.sessionID)
    writer.append(request.ports.lowerBound)
    writer.append(request.ports.upperBound)
    writer.append(request.cipher.rawValue)
    writer.append(request.lanesHaveAddresses)
    LaneSettingsCodec.encode(request.lanes, into: &writer)
    HandshakeCodec.encode(request.doorway, into: &writer)
    return writer.bytes
  }

  package static func decode(_ bytes: [UInt8]) throws(FormatError) -> Request {
    var reader = ByteReader(bytes)
    let rawDirection = try reader.byte("direction")
    guard let direction = Direction(rawValue: rawDirection) else {
      throw reader.failure("direction", .unexpected(found: UInt64(rawDirection)))
    }
    let pathCount = try reader.count("path count", maximum: reader.remainingByteCount)
    var paths: [[UInt8]] = []
    for _ in 0..<pathCount {
      let path = try reader.counted("path", maximum: Limits.pathByteCount)
      guard !path.isEmpty, !path.contains(0) else {
        throw reader.failure("path", .invalid("empty, or with a NUL"))
      }
      paths.append(Array(path))
    }
    guard !paths.isEmpty, direction == .pull || paths.count == 1 else {
      throw reader.failure("path count", .invalid("no path, or a push to several places"))
    }
    let options = try options(&reader)
    let secret = Array(try reader.counted("secret", maximum: 32))
    let sessionID = Array(try reader.counted("session", maximum: 16))
    guard secret.count == 32, sessionID.count == 16 else {
      throw reader.failure("request", .invalid("a short secret or session"))
    }
    let lowest = try reader.uint16("lowest port")
    let highest = try reader.uint16("highest port")
    guard lowest <= highest else { throw reader.failure("ports", .invalid("an empty range")) }
    let rawCipher = try reader.byte("cipher")
    guard let cipher = Cipher(rawValue: rawCipher) else {
      throw reader.failure("cipher", .unexpected(found: UInt64(rawCipher)))
    }
    let lanesHaveAddresses = try reader.flag("addresses of lanes")
    let lanes = try LaneSettingsCodec.lanes(&reader)
    let doorway = try HandshakeCodec.doorway(&reader, laneCount: lanes.count)
    try reader.finish("request")
    return Request(
      direction: direction,
      paths: paths,
      options: options,
      secret: secret,
      sessionID: sessionID,
      ports: lowest...highest,
      cipher: cipher,
      lanesHaveAddresses: lanesHaveAddresses,
      lanes: lanes,
      doorway: doorway
    )
  }

  private static func encode(_ options: TransferOptions, into writer: inout ByteWriter) {
    writer.append(options.blockByteCount)
    writer.append(options.isDryRun)
    writer.append(options.comparesDigests)
    writer.append(options.verification.rawValue)
    writer.append(options.preservesOwner)
    writer.append(options.listsChanges)
    writer.append(options.storage.rawValue)
    writer.append(options.compression.rawValue)
    writer.append(options.nullSource?.byteCount ?? 0)
    writer.append(options.keepsNothing)
    writer.appendVarint(options.filters.count)
    for rule in options.filters {
      writer.append(rule.isInclude)
      writer.appendCounted(rule.pattern)
    }
  }

  private static func options(_ reader: inout ByteReader) throws(FormatError) -> TransferOptions {
    var options = TransferOptions()
    options.blockByteCount = try reader.uint64("block size")
    let allowed = Limits.minimumBlockByteCount...Limits.maximumBlockByteCount
    guard allowed.contains(options.blockByteCount) else {
      throw reader.failure("block size", .invalid("\(options.blockByteCount) is not in \(allowed)"))
    }
    options.isDryRun = try reader.flag("dry run")
    options.comparesDigests = try reader.flag("digest comparison")
    let level = try reader.byte("verification level")
    guard let verification = VerificationLevel(rawValue: level) else {
      throw reader.failure("verification level", .unexpected(found: UInt64(level)))
    }
    options.verification = verification
    options.preservesOwner = try reader.flag("owners")
    options.listsChanges = try reader.flag("list of changes")
    let mode = try reader.byte("storage mode")
    guard let storage = StorageMode(rawValue: mode) else {
      throw reader.failure("storage mode", .unexpected(found: UInt64(mode)))
    }
    options.storage = storage
    let rawCompression = try reader.byte("compression")
    guard let compression = Compression(rawValue: rawCompression) else {
      throw reader.failure("compression", .unexpected(found: UInt64(rawCompression)))
    }
    options.compression = compression
    let nullByteCount = try reader.uint64("null source")
    options.nullSource = NullDataset(byteCount: nullByteCount)
    guard nullByteCount == 0 || options.nullSource != nil else {
      throw reader.failure("null source", .invalid("\(nullByteCount) bytes are too many"))
    }
    options.keepsNothing = try reader.flag("null sink")
    let count = try reader.count("filter count", maximum: reader.remainingByteCount)
    for _ in 0..<count {
      let isInclude = try reader.flag("filter kind")
      let pattern = try reader.counted("filter", maximum: Limits.pathByteCount)
      options.filters.append(FilterRule(isInclude: isInclude, pattern: Array(pattern)))
    }
    return options
  }
}

/// The other frames of the handshake: dtx-protocol(7), "Handshake".
package enum HandshakeCodec {
  /// A step of the handshake, or the refusal of one.
  package enum Step: Equatable, Sendable {
    case taken([UInt8])
    case refused(StopReason, String)
  }

  package static func encode(_ step: Step) -> [UInt8] {
    var writer = ByteWriter()
    switch step {
    case .taken(let payload):
      writer.append(UInt8(0))
      writer.appendRaw(payload)
    case .refused(let reason, let text):
      writer.append(reason.rawValue)
      writer.appendCounted(text, maximum: 4000)
    }
    return writer.bytes
  }

  package static func step(_ bytes: [UInt8]) throws(FormatError) -> Step {
    var reader = ByteReader(bytes)
    let raw = try reader.byte("step")
    if raw == 0 {
      return .taken(Array(try reader.raw("step", byteCount: reader.remainingByteCount)))
    }
    guard let reason = StopReason(rawValue: raw) else {
      throw reader.failure("step", .unexpected(found: UInt64(raw)))
    }
    let text = try reader.text("reason", maximum: 16 << 10)
    try reader.finish("refusal")
    return .refused(reason, text)
  }

  package static func encode(_ acceptance: Acceptance) -> [UInt8] {
    var writer = ByteWriter()
    encode(acceptance, into: &writer)
    return writer.bytes
  }

  static func encode(_ acceptance: Acceptance, into writer: inout ByteWriter) {
    writer.append(acceptance.port)
    writer.appendVarint(acceptance.addresses.count)
    for address in acceptance.addresses { writer.appendCounted(address) }
  }

  package static func acceptance(_ bytes: [UInt8]) throws(FormatError) -> Acceptance {
    var reader = ByteReader(bytes)
    let acceptance = try acceptance(&reader)
    try reader.finish("acceptance")
    return acceptance
  }

  static func acceptance(_ reader: inout ByteReader) throws(FormatError) -> Acceptance {
    let port = try reader.uint16("port")
    let count = try reader.count("address count", maximum: 64)
    var addresses: [String] = []
    for _ in 0..<count { addresses.append(try reader.text("address", maximum: 255)) }
    return Acceptance(port: port, addresses: addresses)
  }

  package static func encode(_ shape: DatasetShape) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(shape.isContents)
    writer.append(shape.isSingleFile)
    writer.appendVarint(shape.names.count)
    for name in shape.names { writer.appendCounted(name) }
    return writer.bytes
  }

  package static func shape(_ bytes: [UInt8]) throws(FormatError) -> DatasetShape {
    var reader = ByteReader(bytes)
    let isContents = try reader.flag("contents")
    let isSingleFile = try reader.flag("single file")
    let count = try reader.count("name count", maximum: reader.remainingByteCount)
    var names: [[UInt8]] = []
    for _ in 0..<count {
      let name = Array(try reader.counted("name", maximum: Limits.nameByteCount))
      guard !name.isEmpty, isPlain(name) else {
        throw reader.failure("name", .invalid("empty, . or .., or with / or NUL"))
      }
      guard names.last.map({ $0.lexicographicallyPrecedes(name) }) ?? true else {
        throw reader.failure("name", .invalid("out of order"))
      }
      names.append(name)
    }
    guard isContents == names.isEmpty, !isSingleFile || names.count == 1 else {
      throw reader.failure("dataset", .invalid("names do not fit its shape"))
    }
    try reader.finish("dataset")
    return DatasetShape(isContents: isContents, names: names, isSingleFile: isSingleFile)
  }

  package static func encode(_ reply: DestinationReply) -> [UInt8] {
    var writer = ByteWriter()
    writer.appendCounted(reply.singleFileName ?? [])
    return writer.bytes
  }

  package static func destinationReply(_ bytes: [UInt8]) throws(FormatError) -> DestinationReply {
    var reader = ByteReader(bytes)
    let name = Array(try reader.counted("name", maximum: Limits.nameByteCount))
    guard isPlain(name) else {
      throw reader.failure("name", .invalid(". or .., or with / or NUL"))
    }
    try reader.finish("destination")
    return DestinationReply(singleFileName: name.isEmpty ? nil : name)
  }

  /// Whether a name means nothing but an entry of the directory that it is looked up in.
  private static func isPlain(_ name: [UInt8]) -> Bool {
    !name.contains(0) && !name.contains(UInt8(ascii: "/")) && !name.elementsEqual(".".utf8)
      && !name.elementsEqual("..".utf8)
  }

  package static func encode(_ settlement: LaneSettlement) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(settlement.usesControlChannel)
    PlanInputsCodec.encode(settlement.inputs, into: &writer)
    return writer.bytes
  }

  package static func settlement(_ bytes: [UInt8]) throws(FormatError) -> LaneSettlement {
    var reader = ByteReader(bytes)
    let usesControlChannel = try reader.flag("lane through control channel")
    let inputs = try PlanInputsCodec.decode(&reader)
    try reader.finish("lanes")
    return LaneSettlement(usesControlChannel: usesControlChannel, inputs: inputs)
  }
}
