/// An adjustment's bytes: dtx-protocol(7), "Control messages".
enum AdjustmentCodec {
  private enum Kind: UInt8 {
    case rates = 1
    case pause = 2
    case resume = 3
  }

  static func encode(_ adjustment: Adjustment, into writer: inout ByteWriter) {
    switch adjustment {
    case .rates(let rates):
      writer.append(Kind.rates.rawValue)
      writer.appendVarint(rates.count)
      for rate in rates { writer.appendVarint(rate.bitsPerSecond) }
    case .pause: writer.append(Kind.pause.rawValue)
    case .resume: writer.append(Kind.resume.rawValue)
    }
  }

  static func decode(_ reader: inout ByteReader) throws(FormatError) -> Adjustment {
    let raw = try reader.byte("adjustment")
    guard let kind = Kind(rawValue: raw) else {
      throw reader.failure("adjustment", .unexpected(found: UInt64(raw)))
    }
    switch kind {
    case .rates:
      let count = try reader.count("lane count", maximum: Limits.laneCount)
      var rates: [Rate] = []
      for _ in 0..<count {
        let bits = try reader.varint("lane rate", maximum: Limits.laneBitsPerSecond)
        rates.append(Rate(bitsPerSecond: bits))
      }
      return .rates(rates)
    case .pause: return .pause
    case .resume: return .resume
    }
  }
}
