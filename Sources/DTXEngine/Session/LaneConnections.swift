internal import DTXCore
internal import DTXLinux

/// One connection of a session at either end, with the thread that serves it.
protocol SessionLane: Sendable {
  /// Ends the connection in order, as far as this end has a say.
  func end()
  /// Ends it at once; a thread that waits in a system call wakes up.
  func abort()
  /// Whether its thread has returned; waits for that until the deadline, an instant of `Clock.now`.
  func hasReturned(before deadline: UInt64) -> Bool
  /// Waits for its thread.
  func join()
}

extension Collection where Element: SessionLane {
  /// Ends all of them, and waits for their threads.
  ///
  /// - Parameters:
  ///   - orderly: whether they may say to the end what they have to say.
  ///   - deadline: until when they may, an instant of `Clock.now`.
  func end(orderly: Bool, before deadline: UInt64) {
    for lane in self {
      if orderly { lane.end() } else { lane.abort() }
    }
    for lane in self where !lane.hasReturned(before: deadline) { lane.abort() }
    for lane in self { lane.join() }
  }
}

/// The connections of a session at one end, wherever they come from: a listener, a dialer, the
/// control channel.
///
/// `changed` is told of each one's beginning and, unless its lane's thread tells it, of its end;
/// from any thread, the beginning always first.
final class LaneConnections<Lane: SessionLane>: Sendable {
  enum Change: Sendable {
    case up
    case lost(String)
  }

  private let setup: SessionSetup
  private let make: @Sendable (OpenedLane) throws(SystemError) -> Lane
  private let changed: @Sendable (ConnectionID, Change) -> Void
  private let state = Guarded(State())

  private struct State {
    /// Nil once the session has ended: what opens then is shut at once.
    var lanes: [ConnectionID: Lane]? = [:]
    var barred = BarredConnections()
  }

  private let shellLane = Guarded<ShellLane?>(nil)

  init(
    _ setup: SessionSetup,
    make: @escaping @Sendable (OpenedLane) throws(SystemError) -> Lane,
    changed: @escaping @Sendable (ConnectionID, Change) -> Void
  ) {
    self.setup = setup
    self.make = make
    self.changed = changed
  }

  var count: Int { state.withLock { $0.lanes?.count ?? 0 } }

  /// Those that are open now.
  var all: [Lane] { state.withLock { $0.lanes.map { Array($0.values) } ?? [] } }

  subscript(id: ConnectionID) -> Lane? { state.withLock { $0.lanes?[id] } }

  /// Takes connections from now on.
  func open() {
    setup.inlet.start { [self] opened in add(opened) }
    let waits = setup.settlement.usesControlChannel && !setup.dials
    if waits, !setup.options.isDryRun { openShellLane() }
  }

  /// Opens a connection in the background.
  func dial(_ id: ConnectionID) {
    guard let dialling = setup.dialling else { return openShellLane() }
    dialling.dial(id) { [self] result in
      switch result {
      case .success(let opened): add(opened)
      case .failure(let error): changed(id, .lost("\(error)"))
      }
    }
  }

  /// Hands over bytes of the lane that goes through the control channel.
  func deliver(_ bytes: [UInt8]) {
    shellLane.withLock { $0 }?.deliver(bytes)
  }

  /// Ends a connection.
  ///
  /// Its end is told in any case: by its thread, or at once for one that is gone or not here yet;
  /// the latter is turned away when it comes.
  func close(_ id: ConnectionID) {
    let lane: Lane? = state.withLock { state in
      if state.lanes?[id] == nil { state.barred.insert(id) }
      return state.lanes?[id]
    }
    if let lane { lane.abort() } else { changed(id, .lost("it was given up")) }
  }

  /// Forgets a connection whose thread is ending.
  func forget(_ id: ConnectionID) {
    state.withLock { $0.lanes?[id] = nil }
  }

  /// Ends all connections, and waits for their threads.
  ///
  /// In order, the peer may take what is under way; one that does not is not waited for.
  func shut(orderly: Bool) {
    setup.inlet.close()
    let open = state.withLock { state in
      defer { state.lanes = nil }
      return state.lanes.map { Array($0.values) } ?? []
    }
    let deadline = Clock.now() + (orderly ? Limits.endingNanoseconds : 0)
    open.end(orderly: orderly, before: deadline)
    shellLane.withLock { $0 }?.close(before: deadline)
  }

  private func openShellLane() {
    let id = ConnectionID(lane: 0, number: ShellLane.identity.number)
    do throws(SystemError) {
      let (lane, opened) = try ShellLane.open(
        over: setup.channel,
        secret: setup.secret,
        outgoing: setup.isInitiator ? .initiatorToResponder : .responderToInitiator
      )
      shellLane.withLock { $0 = lane }
      add(opened)
    } catch {
      changed(id, .lost(error.description))
    }
  }

  /// How many connections of a lane may be open here.
  ///
  /// The latest one is turned away, not the oldest closed, which may be the one that carries
  /// something: its end dials again, and has those that it lost closed here meanwhile.
  private func most(of lane: Int) -> Int {
    setup.inputs.lanes[lane].connectionCount + Limits.spareConnectionCount
  }

  private func add(_ opened: OpenedLane) {
    let id = ConnectionID(lane: opened.identity.lane, number: opened.identity.number)
    guard id.lane < setup.inputs.lanes.count else { return opened.socket.shutdown() }
    // Whoever hears that a connection is up may use it or give it up at once: it has to be here
    // before anybody else comes to look.
    state.withLock { state in
      guard let lanes = state.lanes, !state.barred.contains(id),
        lanes.keys.count(where: { $0.lane == id.lane }) < most(of: id.lane)
      else { return opened.socket.shutdown() }
      changed(id, .up)
      do throws(SystemError) {
        state.lanes?[id] = try make(opened)
      } catch {
        opened.socket.shutdown()
        changed(id, .lost(error.description))
      }
    }
  }
}
