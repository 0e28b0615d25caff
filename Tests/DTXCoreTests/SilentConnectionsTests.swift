@testable import DTXCore
import Testing

/// All threes of connections that have been silent for some time or not at all.
@Suite struct SilentConnectionsTests {
  private static let silences: [UInt64] = [0, 4, 5, 9, 10, 11, 59]

  private func readings(_ seconds: [UInt64]) -> [ConnectionReading] {
    seconds.enumerated().map { index, silence in
      ConnectionReading(
        id: ConnectionID(lane: index, number: 1),
        acknowledgedByteCount: 0,
        shape: nil,
        silentNanoseconds: silence * Duration.second
      )
    }
  }

  @Test("silence is given up after ten seconds, while another connection hears of the other end")
  func givesUpWhatIsSilentAlone() {
    for first in Self.silences {
      for second in Self.silences {
        for third in Self.silences {
          let all = readings([first, second, third])
          let lanes = SilentConnections.givenUp(all).map(\.id.lane)
          let isHeard = [first, second, third].contains { $0 < 5 }
          let silent = [first, second, third].indices.filter { [first, second, third][$0] >= 10 }
          #expect(lanes == (isHeard ? silent : []), "\(first), \(second), \(third)")
        }
      }
    }
  }

  @Test("a connection alone is left to TCP")
  func keepsTheOnlyOne() {
    for silence in Self.silences { #expect(SilentConnections.givenUp(readings([silence])).isEmpty) }
    #expect(SilentConnections.givenUp([]).isEmpty)
  }
}
