import FederationModel
import ReferenceFile
import Testing
import YAMLFile
