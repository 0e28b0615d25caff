/// Golden vectors: what the formats' first version looks like, byte by byte.
///
/// They were put together from dtx-manifest(5) and dtx-journal(5) by other means than the codecs
/// that they hold to the pages, and never change: a new version gets vectors of its own.
enum Vectors {
  /// dtx-journal(5): a session, a file that is published, another that is given up.
  static let journal = hex(
    """
    4454584a524e4c31                  # magic
    01                                # digests: XXH3-128
    00000000000000                    # zero

    2d000000                          # length: 45 bytes follow
    01                                # type: opened
    00000000                          # epoch 0
    0000000000000000                  # sequence 0
    8877665544332211                  # session
    0000010000000000                  # block length 65536
    00002a36fe9c9717                  # wall time 2023-11-14 22:13:20
    a563a8f695f5c8b1                  # checksum

    5c000000                          # length: 92 bytes follow
    02                                # type: durable
    01000000                          # epoch 1
    0100000000000000                  # sequence 1
    8877665544332211                  # session
    0a72756e2f612e66697473            # path "run/a.fits"
    a086010000000000                  # file length 100000
    15cdfbdf85573416                  # modification time
    efbefecacefaedfe                  # source identity
    0000000000000000                  # extent offset 0
    00000100                          # extent length 65536
    000102030405060708090a0b0c0d0e0f  # extent digest
    c90fbbbee6b7e4f0                  # checksum

    5c000000                          # length: 92 bytes follow
    02                                # type: durable
    02000000                          # epoch 2
    0200000000000000                  # sequence 2
    8877665544332211                  # session
    0a72756e2f612e66697473            # path "run/a.fits"
    a086010000000000                  # file length 100000
    15cdfbdf85573416                  # modification time
    efbefecacefaedfe                  # source identity
    0000010000000000                  # extent offset 65536
    a0860000                          # extent length 34464
    f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff  # extent digest
    0416a8fe0831316c                  # checksum

    28000000                          # length: 40 bytes follow
    03                                # type: published
    02000000                          # epoch 2
    0300000000000000                  # sequence 3
    8877665544332211                  # session
    0a72756e2f612e66697473            # path "run/a.fits"
    2d991eb5288aaa6f                  # checksum

    28000000                          # length: 40 bytes follow
    04                                # type: discarded
    03000000                          # epoch 3
    0400000000000000                  # sequence 4
    8877665544332211                  # session
    0a72756e2f622e66697473            # path "run/b.fits"
    71eff104969a5dfd                  # checksum

    25000000                          # length: 37 bytes follow
    05                                # type: owned
    04000000                          # epoch 4
    0500000000000000                  # sequence 5
    8877665544332211                  # session
    0700000000000000                  # token 7
    cbcc7e61b10d2c67                  # checksum
    """
  )

  /// dtx-manifest(5): two segments with roots of SHA-256, the second with contexts.
  static let manifest = hex(
    """
    4454584d414e4631                  # magic
    0100                              # version 1
    01                                # extents: XXH3-128
    02                                # roots: SHA-256
    00000000                          # zero
    0000010000000000                  # block length 65536

    01                                # section: segment
    000000                            # zero
    00000000                          # segment 0
    b600000000000000                  # length: 182 bytes follow
    04                                # 4 entries

    01                                # directory
    00                                # at the top
    00                                # name ""
    ed03                              # mode 0755
    e807                              # user 1000
    64                                # group 100
    00002a36fe9c9717                  # modified 1700000000000000000
    00                                # length 0
    00                                # 0 attributes

    00                                # file
    01                                # parent: entry 0
    06612e66697473                    # name "a.fits"
    a403                              # mode 0644
    e807                              # user 1000
    64                                # group 100
    15cd853dfe9c9717                  # modified 1700000000123456789
    a08d06                            # length 100000
    00                                # 0 attributes

    01                                # directory
    01                                # parent: entry 0
    0164                              # name "d"
    e80b                              # mode 2750
    e807                              # user 1000
    64                                # group 100
    00002a36fe9c9717                  # modified 1700000000000000000
    00                                # length 0
    00                                # 0 attributes

    03                                # fifo
    03                                # parent: entry 2
    046669666f                        # name "fifo"
    8003                              # mode 0600
    00                                # user 0
    00                                # group 0
    ffffffffffffffff                  # modified -1
    00                                # length 0
    00                                # 0 attributes

    02                                # 2 extents
    101112131415161718191a1b1c1d1e1f  # digest of 65536 bytes at 0
    00000000000000000000000000000000  # 34464 bytes at 65536: unread
    a63521a9a272fb31f2f3ac91290c020ead6719f221c8c398f315bca33a6e2c8d# content root
    ffba105a5ef2773e4082581ff0502903d47b7b858281959e35ba786bc30e8be3# full root

    01                                # section: segment
    000000                            # zero
    01000000                          # segment 1
    db00000000000000                  # length: 219 bytes follow
    04                                # 4 entries

    81                                # context directory
    00                                # at the top
    00                                # name ""
    00                                # mode 0000
    00                                # user 0
    00                                # group 0
    0000000000000000                  # modified 0
    00                                # length 0
    00                                # 0 attributes

    81                                # context directory
    01                                # parent: entry 0
    0164                              # name "d"
    00                                # mode 0000
    00                                # user 0
    00                                # group 0
    0000000000000000                  # modified 0
    00                                # length 0
    00                                # 0 attributes

    02                                # symlink
    02                                # parent: entry 1
    046c696e6b                        # name "link"
    ff03                              # mode 0777
    e807                              # user 1000
    64                                # group 100
    00002a36fe9c9717                  # modified 1700000000000000000
    00                                # length 0
    01                                # 1 attribute
    03                                # link target, critical
    09                                # attribute length
    2e2e2f612e66697473                # target "../a.fits"

    00                                # file
    02                                # parent: entry 1
    06737061727365                    # name "sparse"
    a402                              # mode 0444
    e807                              # user 1000
    64                                # group 100
    00002a36fe9c9717                  # modified 1700000000000000000
    c09a0c                            # length 200000
    01                                # 1 attribute
    05                                # data ranges, critical
    0b                                # attribute length
    02                                # 2 data ranges
    8020                              # gap 4096
    8020                              # data 4096
    80c007                            # gap 122880
    c09a04                            # data 68928

    03                                # 3 extents
    202122232425262728292a2b2c2d2e2f  # digest of 4096 bytes at 4096
    303132333435363738393a3b3c3d3e3f  # digest of 65536 bytes at 131072
    404142434445464748494a4b4c4d4e4f  # digest of 3392 bytes at 196608
    04cc55392d4197ed072bc5218fbe81afae261f3d5141623bf051eeadcb5ace37# content root
    29e2d7037ccf3536e2a4d230be24cb8963054015e96397bae6b4dd0523a19966# full root

    02                                # section: trailer
    000000                            # zero
    02000000                          # 2 segments
    6800000000000000                  # length: 104 bytes follow
    29ff9dabb399efcf7bfc1806a8f7b833ca748e409f9a791108d1a257bce7eed7# the dataset's content root
    936c85f87601643bb7f30c1caeaf62369a643e7e497b3fb18e09b5311a8936a9# the dataset's full root
    0600000000000000                  # 6 entries
    0200000000000000                  # 2 files
    e093040000000000                  # 300000 bytes
    e0a3020000000000                  # 173024 bytes of data
    a086000000000000                  # 34464 bytes unread
    """
  )
}
