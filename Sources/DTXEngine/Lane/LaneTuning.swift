internal import DTXCore
internal import DTXLinux

/// What one end sets on its sockets of a lane, and how it finds out whether the kernel took it.
///
/// What a user asks of a lane is what a network tells it by, so a setting that does not take is an
/// error before anything moves: the bytes would go where nobody reserved anything.
struct LaneTuning: Sendable {
  var settings = LaneSettings()
  /// Whether the data leaves from this end: marks are for both ends, the rest is the sender's.
  var isSender = false
  var connectionCount = 1
  /// The address that connections have at the initiator: they come from it or, where that end
  /// listens, to it.
  var source: SocketAddress?
  /// The device to leave by, at the initiator.
  var interface: String?

  /// A setting that the kernel did not take.
  struct Refusal: Error, Equatable {
    /// What was asked for, as a sentence has it.
    var setting: String
    /// What came of it.
    var cause: String

    init(_ setting: String, _ cause: String) {
      self.setting = setting
      self.cause = cause
    }

    init(_ setting: String, _ error: SystemError) {
      self.init(setting, "\(error.operation): \(error.explanation) (\(error.name))")
    }
  }

  /// Whether there is nothing to set before a connection's first packet.
  var isEmpty: Bool {
    settings.codePoint == nil && (settings.congestionControl == nil || !isSender)
  }

  /// Sets on a socket what its first packet is to have already; the pace comes later.
  func apply(to socket: Socket) throws(SystemError) {
    if let mark = settings.codePoint { try socket.setTypeOfService(mark.typeOfService) }
    if isSender, let name = settings.congestionControl { try socket.setCongestionControl(name) }
  }

  /// Binds a connection that came in to its lane's device, and demands that it came to its lane's
  /// address.
  ///
  /// - Parameter socket: accepted at the initiator.
  /// - Throws: what is not as it was to be.
  func receive(_ socket: Socket) throws(Refusal) {
    do throws(SystemError) {
      if let interface { try socket.bind(toInterface: interface) }
    } catch {
      throw Refusal(bindingName, error)
    }
    try checkBinding(socket)
  }

  /// Sets the pace of a connection by what its segments are now; nothing where nobody rated it.
  ///
  /// - Parameter socket: of the connection.
  /// - Returns: the bytes of payload a second that were asked for; what segments are may change.
  /// - Throws: the setting that did not take.
  @discardableResult
  func pace(_ socket: Socket) throws(Refusal) -> UInt64? {
    guard isSender, let used = settings.pacedRate else { return nil }
    let asked = LanePace.payloadBytesPerSecond(
      used: used,
      connectionCount: connectionCount,
      counting: settings.layer,
      // A path of usual frames where nothing is known yet.
      SegmentShape(of: socket) ?? .usual
    )
    do throws(SystemError) {
      try socket.setMaxPacingRate(bytesPerSecond: asked)
    } catch {
      throw Refusal(paceName, error)
    }
    return asked
  }

  /// Reads back what the kernel took, and compares it with what was asked for.
  ///
  /// - Parameters:
  ///   - socket: connected; `apply` and `pace` came before.
  ///   - asked: what `pace` asked for.
  /// - Returns: what it has.
  /// - Throws: the first setting that is another than it was to be.
  func taken(by socket: Socket, pacedAt asked: UInt64?) throws(Refusal) -> LaneTaken {
    try checkMark(socket)
    try checkCongestionControl(socket)
    try checkBinding(socket)
    try checkPace(socket, asked)
    do throws(SystemError) {
      let info = try socket.tcpInfo()
      return LaneTaken(
        codePoint: CodePoint(typeOfService: try socket.typeOfService()),
        congestionControl: try socket.congestionControl(),
        pacedBytesPerSecond: asked,
        segmentByteCount: info.segmentByteCount,
        pathMTU: info.pathMTU,
        queue: EgressQueue.before(socket)
      )
    } catch {
      throw Refusal("the connection", error)
    }
  }

  /// Tries all of it on a socket that goes nowhere, before anything is asked of the other end.
  ///
  /// - Throws: the setting that this host does not take.
  func rehearse() throws(Refusal) {
    let socket: Socket
    do throws(SystemError) {
      socket = try Socket.unconnected(from: source, interface: interface)
    } catch {
      throw Refusal(bindingName, error)
    }
    do throws(SystemError) {
      if let mark = settings.codePoint { try socket.setTypeOfService(mark.typeOfService) }
    } catch {
      throw Refusal(markName, error)
    }
    do throws(SystemError) {
      if isSender, let name = settings.congestionControl { try socket.setCongestionControl(name) }
    } catch {
      throw Refusal(congestionName, error)
    }
    let asked = try pace(socket)
    try checkMark(socket)
    try checkCongestionControl(socket)
    try checkInterface(socket)
    try checkPace(socket, asked)
  }

  // MARK: - One by one

  private func checkMark(_ socket: Socket) throws(Refusal) {
    guard let mark = settings.codePoint else { return }
    let found = CodePoint(typeOfService: (try? socket.typeOfService()) ?? 0)
    if found != mark { throw Refusal(markName, "the kernel marks with \(found)") }
  }

  private func checkCongestionControl(_ socket: Socket) throws(Refusal) {
    guard isSender, let name = settings.congestionControl else { return }
    let found = (try? socket.congestionControl()) ?? "none"
    if found != name { throw Refusal(congestionName, "the kernel has \(found)") }
  }

  private func checkBinding(_ socket: Socket) throws(Refusal) {
    try checkInterface(socket)
    guard let source, let found = try? socket.localAddress else { return }
    if found.with(port: 0) != source.with(port: 0) {
      throw Refusal(bindingName, "the connection has \(found.host) here")
    }
  }

  private func checkInterface(_ socket: Socket) throws(Refusal) {
    guard let interface else { return }
    let found = (try? socket.boundInterface()) ?? nil
    if found != interface {
      throw Refusal(bindingName, "the socket has \(found ?? "no interface")")
    }
  }

  private func checkPace(_ socket: Socket, _ asked: UInt64?) throws(Refusal) {
    guard let asked else { return }
    let found = (try? socket.maxPacingRate()) ?? .max
    guard found != asked else { return }
    let text = found == .max ? "it paces nothing" : "it holds \(found) bytes per second"
    throw Refusal(paceName, "\(asked) bytes of payload per second were asked for, and \(text)")
  }

  private var markName: String { "the mark \(settings.codePoint?.description ?? "")" }
  private var congestionName: String {
    "the congestion control \(printable(Array((settings.congestionControl ?? "").utf8)))"
  }
  private var paceName: String { "the rate" }
  private var bindingName: String {
    let names = [source?.host, interface].compactMap { $0 }.joined(separator: " on ")
    return "the binding to \(printable(Array(names.utf8)))"
  }
}

extension SegmentShape {
  /// What full segments of a connection look like.
  ///
  /// - Parameter socket: nil comes of one that is not connected, or no TCP socket.
  init?(of socket: Socket) {
    guard let info = try? socket.tcpInfo(), let peer = try? socket.peerAddress else { return nil }
    // The least that a host must take (RFC 9293, section 3.7.1), while the kernel says less.
    self.init(segmentByteCount: UInt64(max(info.segmentByteCount, 536)), isV6: peer.isV6)
  }
}
