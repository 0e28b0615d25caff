/// What the kernel's queue before a device does to what leaves by it.
package struct EgressQueue: Equatable, Sendable {
  /// The most that it lets through.
  package struct Limit: Equatable, Sendable {
    /// Packets with their Ethernet headers, as the kernel counts what it queues.
    package var bytesPerSecond: UInt64
    /// Of each connection, instead of all together.
    package var isPerConnection: Bool

    package init(bytesPerSecond: UInt64, isPerConnection: Bool) {
      self.bytesPerSecond = bytesPerSecond
      self.isPerConnection = isPerConnection
    }
  }

  /// The device.
  package var interface: String
  /// The kernel's name of it; of a queue for each of the device's own, that of these behind it.
  package var kind: String
  /// Nil where it imposes none, or one that depends on more than the device.
  package var limit: Limit?

  package init(interface: String, kind: String, limit: Limit?) {
    self.interface = interface
    self.kind = kind
    self.limit = limit
  }

  /// What full segments of a rate take of it.
  ///
  /// - Parameters:
  ///   - rate: as a contract counts it.
  ///   - layer: that the contract counts.
  ///   - shape: of the segments.
  /// - Returns: bytes a second with the 14 bytes of an Ethernet header, rounded down.
  package static func load(
    of rate: Rate,
    counting layer: CountedLayer,
    _ shape: SegmentShape
  ) -> UInt64 {
    let queued = shape.wireByteCount(.l3) + 14
    return rate.scaled(by: queued, over: shape.wireByteCount(layer)).bitsPerSecond / 8
  }
}

extension EgressQueue {
  /// Reads what the kernel says of a device's queues.
  ///
  /// - Parameters:
  ///   - disciplines: the messages of rtnetlink(7)'s RTM_GETQDISC, of all devices or this one.
  ///   - classes: those of RTM_GETTCLASS for this device.
  ///   - interface: its name.
  ///   - index: its number.
  /// - Returns: nil for a device without a queue.
  /// - Throws: where the bytes do not follow the kernel's format.
  package static func read(
    disciplines: [UInt8],
    classes: [UInt8],
    interface: String,
    index: UInt32
  ) throws(FormatError) -> EgressQueue? {
    let all = try QueueMessage.messages(disciplines, ofType: QueueMessage.discipline)
      .filter { $0.device == index }
    guard let root = all.first(where: { $0.parent == QueueMessage.root }) else { return nil }
    let leaves = try QueueMessage.messages(classes, ofType: QueueMessage.trafficClass)
      .filter { $0.device == index }
    guard root.kind == "mq" else {
      let limit = try root.limit(leaves)
      return EgressQueue(interface: interface, kind: root.kind, limit: limit)
    }
    // One queue for each of the device's own: a connection is in one of them, nobody says in which.
    let parts = all.filter { $0.parent >> 16 == root.handle >> 16 && $0.parent != root.parent }
    var limits: [Limit?] = []
    for part in parts { limits.append(try part.limit([])) }
    let isSame = limits.allSatisfy { $0 == limits.first }
    let isOneKind = parts.allSatisfy { $0.kind == parts[0].kind }
    let kinds = ["mq"] + (isOneKind ? parts.prefix(1).map(\.kind) : [])
    // What each of them lets through says little of all together.
    let shared = isSame ? limits.first ?? nil : nil
    return EgressQueue(
      interface: interface,
      kind: kinds.joined(separator: " "),
      limit: shared.flatMap { $0.isPerConnection ? $0 : nil }
    )
  }
}

/// One message of rtnetlink(7) about a queueing discipline or a class: `struct tcmsg` and attributes.
private struct QueueMessage {
  /// RTM_NEWQDISC and RTM_NEWTCLASS.
  static let discipline: UInt16 = 36
  static let trafficClass: UInt16 = 40
  /// TC_H_ROOT.
  static let root: UInt32 = .max
  /// NLMSG_DONE.
  private static let done: UInt16 = 3
  private static let headerByteCount = 16

  /// More classes than a host has whose queues hold lanes; finding parents takes time for each pair.
  private static let classCount = 512

  struct Attributes {
    var all: [(type: UInt16, bytes: [UInt8])] = []

    subscript(type: UInt16) -> [UInt8]? { all.first { $0.type == type }?.bytes }
  }

  let device: UInt32
  let handle: UInt32
  let parent: UInt32
  let kind: String
  /// The attributes within TCA_OPTIONS.
  let options: Attributes

  static func messages(
    _ bytes: [UInt8],
    ofType wanted: UInt16
  ) throws(FormatError) -> [QueueMessage] {
    var reader = ByteReader(bytes)
    var messages: [QueueMessage] = []
    while !reader.isAtEnd {
      let byteCount = Int(try reader.uint32("message length"))
      let type = try reader.uint16("message type")
      _ = try reader.raw("message header", byteCount: 10)
      guard byteCount >= headerByteCount else {
        throw reader.failure("message length", .unexpected(found: UInt64(byteCount)))
      }
      let body = Array(try reader.raw("message", byteCount: byteCount - headerByteCount))
      if type == done { return messages }
      if type == wanted { messages.append(try QueueMessage(body)) }
      // Messages begin at multiples of 4.
      let padding = min((4 - byteCount % 4) % 4, reader.remainingByteCount)
      _ = try reader.raw("padding", byteCount: padding)
    }
    return messages
  }

  private init(_ bytes: [UInt8]) throws(FormatError) {
    var reader = ByteReader(bytes)
    // Family and padding.
    _ = try reader.uint32("family")
    device = try reader.uint32("device")
    handle = try reader.uint32("handle")
    parent = try reader.uint32("parent")
    _ = try reader.uint32("information")
    let attributes = try QueueMessage.attributes(&reader)
    // TCA_KIND, a C string.
    let name = (attributes[1] ?? []).prefix { $0 != 0 }
    guard !name.isEmpty, name.count <= 15, name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw reader.failure("kind", .invalid("no name of a kind"))
    }
    kind = String(decoding: name, as: UTF8.self)
    // TCA_OPTIONS.
    var nested = ByteReader(attributes[2] ?? [])
    options = try QueueMessage.attributes(&nested)
  }

  private static func attributes(
    _ reader: inout ByteReader
  ) throws(FormatError) -> Attributes {
    var found = Attributes()
    while !reader.isAtEnd {
      let byteCount = Int(try reader.uint16("attribute length"))
      // The upper bits are flags.
      let type = try reader.uint16("attribute type") & 0x3FFF
      guard byteCount >= 4 else {
        throw reader.failure("attribute length", .unexpected(found: UInt64(byteCount)))
      }
      found.all.append((type, Array(try reader.raw("attribute", byteCount: byteCount - 4))))
      let padding = min((4 - byteCount % 4) % 4, reader.remainingByteCount)
      _ = try reader.raw("padding", byteCount: padding)
    }
    return found
  }

  /// The limit that a discipline imposes, if it is one of those whose limits are known.
  func limit(_ classes: [QueueMessage]) throws(FormatError) -> EgressQueue.Limit? {
    switch kind {
    case "tbf":
      // TCA_TBF_PARMS begins with a struct tc_ratespec; TCA_TBF_RATE64 is there where 32 bits are
      // not enough.
      guard let rate = try rate(parameters: 1, at: 0, wide: 4) else { return nil }
      return EgressQueue.Limit(bytesPerSecond: rate, isPerConnection: false)
    case "fq":
      // TCA_FQ_FLOW_MAX_RATE; all ones stand for none.
      guard let bytes = options[7] else { return nil }
      var reader = ByteReader(bytes)
      let rate = try reader.uint32("flow_max_rate")
      guard rate != .max else { return nil }
      return EgressQueue.Limit(bytesPerSecond: UInt64(rate), isPerConnection: true)
    case "htb":
      guard let rate = try ceiling(of: classes) else { return nil }
      return EgressQueue.Limit(bytesPerSecond: rate, isPerConnection: false)
    default:
      return nil
    }
  }

  /// The most that any class lets through: which one a packet goes to, filters say.
  ///
  /// A packet that no filter takes goes to the default class and, where there is none, past all of
  /// them.
  private func ceiling(of classes: [QueueMessage]) throws(FormatError) -> UInt64? {
    // TCA_HTB_INIT: version, rate2quantum, default class.
    var reader = ByteReader(options[2] ?? [])
    _ = try reader.uint32("version")
    _ = try reader.uint32("rate2quantum")
    let fallback = handle | (try reader.uint32("default class")) & 0xFFFF
    guard classes.count <= QueueMessage.classCount else { return nil }
    var most: UInt64?
    for one in classes where !classes.contains(where: { $0.parent == one.handle }) {
      var allowed = UInt64.max
      var next: QueueMessage? = one
      // No chain of parents is longer than the classes are many.
      for _ in classes {
        guard let current = next else { break }
        // TCA_HTB_PARMS: two of struct tc_ratespec; TCA_HTB_CEIL64.
        guard let ceiling = try current.rate(parameters: 1, at: 12, wide: 7) else { return nil }
        allowed = min(allowed, ceiling)
        next = classes.first { $0.handle == current.parent }
      }
      most = max(most ?? 0, allowed)
    }
    return classes.contains { $0.handle == fallback } ? most : nil
  }

  /// The rate of a struct tc_ratespec in an attribute, or the wide one that stands for it.
  private func rate(
    parameters: UInt16,
    at offset: Int,
    wide: UInt16
  ) throws(FormatError) -> UInt64? {
    if let bytes = options[wide] {
      var reader = ByteReader(bytes)
      return try reader.uint64("rate")
    }
    guard let bytes = options[parameters] else { return nil }
    var reader = ByteReader(bytes)
    // Behind a cell's logarithm, link layer, overhead, alignment and least packet.
    _ = try reader.raw("rate", byteCount: offset + 8)
    return UInt64(try reader.uint32("rate"))
  }
}
