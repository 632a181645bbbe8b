package enum NodeIdentityStub {}
