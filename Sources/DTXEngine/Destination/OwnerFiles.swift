internal import DTXCore
internal import DTXLinux

/// The owner files of a state directory, as one process sees them.
struct OwnerFiles: Sendable {
  let directory: Directory
  /// The process for whom others are visible or not.
  let process: OwnerProcess

  /// This process.
  static var currentProcess: OwnerProcess {
    let process = ProcessIdentity.current
    return OwnerProcess(
      boot: process.boot,
      namespace: process.namespace,
      number: process.number,
      started: process.started
    )
  }

  /// All of them, as they are one after another.
  func sightings() throws(SystemError) -> [OwnerClaiming.Sighting] {
    var sightings: [OwnerClaiming.Sighting] = []
    for item in try directory.names() {
      guard let number = OwnerRecord.number(ofName: item.name) else { continue }
      do throws(SystemError) {
        // Opened anew, a network file system asks its server.
        let file = try directory.openFile(item.name, .read)
        let line = try file.read(byteCount: OwnerRecord.lineByteCount, at: 0)
        let record = OwnerRecord(line)
        sightings.append(
          OwnerClaiming.Sighting(
            number: number,
            line: line,
            claim: record?.claim,
            isOver: record.map(isOver) ?? false
          )
        )
      } catch {
        guard error.isAbsence || error.number == SystemError.stale else { throw error }
        sightings.append(.gone(number))
      }
    }
    return sightings
  }

  /// Whether an owner gave its file back, or is known to be gone.
  ///
  /// Of another host nothing is known, not even where it has the name of this one: names are given
  /// twice, and what was started again may be a copy.
  private func isOver(_ record: OwnerRecord) -> Bool {
    if record.state == .released { return true }
    guard record.process.isVisible(from: process) else { return false }
    return ProcessIdentity.isGone(record.process.number, started: record.process.started)
  }

  /// Makes an owner's file; false where there is one.
  func make(_ number: UInt64, _ record: OwnerRecord) throws(SystemError) -> Bool {
    let name = OwnerRecord.name(number)
    guard OwnerRecord.number(ofName: name) == number else {
      throw SystemError(
        operation: "claim",
        subject: printable(name),
        number: SystemError.tooLarge
      )
    }
    let file: File
    do throws(SystemError) {
      file = try directory.openFile(name, .createExclusive)
    } catch {
      guard error.isPresence else { throw error }
      return false
    }
    do throws(SystemError) {
      try write(record, to: file)
      try directory.sync()
    } catch {
      try? directory.unlink(name)
      throw error
    }
    return true
  }

  /// Replaces an owner's line; it is on the server when this returns.
  func write(_ record: OwnerRecord, number: UInt64) throws(SystemError) {
    try write(record, to: directory.openFile(OwnerRecord.name(number), .readWrite))
  }

  private func write(_ record: OwnerRecord, to file: File) throws(SystemError) {
    try file.write(record.line, at: 0)
    try file.sync()
    try file.close()
  }

  /// Removes a file if it is there.
  func remove(_ number: UInt64) throws(SystemError) {
    do throws(SystemError) {
      try directory.unlink(OwnerRecord.name(number))
    } catch {
      guard error.isAbsence else { throw error }
    }
  }

  /// Removes the files of all numbers below one.
  func clear(below number: UInt64) throws(SystemError) {
    for item in try directory.names() {
      guard let other = OwnerRecord.number(ofName: item.name), other < number else { continue }
      try remove(other)
    }
    try directory.sync()
  }
}
