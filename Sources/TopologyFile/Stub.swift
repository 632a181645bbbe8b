package enum TopologyFileStub {}
