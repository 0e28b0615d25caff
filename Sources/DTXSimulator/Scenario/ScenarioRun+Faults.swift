internal import DTXCore

// What goes wrong, and what passes.
extension ScenarioRun {
  mutating func perform(_ event: WorldEvent) {
    switch event {
    case .fault(let index):
      strike(scenario.faults[index])
    case .laneSilent(let lane, let cut):
      guard isDown[lane], cutCounts[lane] == cut, isDown.contains(false) else { return }
      for connection in connections where connection.id.lane == lane && connection.isSenderUp {
        let silence = Limits.lanePatienceNanoseconds
        tellSender(.connectionSilent(connection.id, nanoseconds: silence))
      }
    case .laneGivenUp(let lane, let cut):
      guard isDown[lane], cutCounts[lane] == cut else { return }
      for index in connections.indices where connections[index].id.lane == lane {
        self.cut(index, after: 0)
      }
    case .laneRestored(let lane, let cut):
      guard cutCounts[lane] == cut else { return }
      isDown[lane] = false
      changePace()
    case .diskRestored:
      writeSpeed = scenario.receiver.writeSpeed
    case .competitorsChanged:
      changePace()
    }
  }

  /// Faults that wait until so much has arrived.
  mutating func takeShareFaults() {
    while let next = shareFaults.first, tally.arrivedByteCount >= next.byteCount {
      shareFaults.removeFirst()
      strike(scenario.faults[next.fault])
    }
  }

  private mutating func strike(_ fault: ScenarioFault) {
    let end = now + (fault.lengthNanoseconds ?? 0)
    switch fault.kind {
    case .laneCut(let one):
      for lane in isDown.indices where one == nil || one == lane {
        isDown[lane] = true
        cutCounts[lane] += 1
        let cut = cutCounts[lane]
        world.push(.laneSilent(lane, cut: cut), at: now + Limits.lanePatienceNanoseconds)
        world.push(.laneGivenUp(lane, cut: cut), at: now + ScenarioRun.lanePatience)
        world.push(.laneRestored(lane, cut: cut), at: end)
      }
      changePace()
    case .powerLoss:
      receiverUpAt = max(receiverUpAt, end)
      if receiver != nil { leave(.receiver, isSilent: true) }
    case .slowDisk(let speed):
      writeSpeed = min(speed, scenario.receiver.writeSpeed)
      if fault.lengthNanoseconds != nil { world.push(.diskRestored, at: end) }
    case .corruptBlocks(let count):
      corruptionCount += count
    }
  }
}
