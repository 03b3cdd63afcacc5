"""The Amazon reviews of McAuley's group, in their editions of 2014, 2018 and 2023."""
