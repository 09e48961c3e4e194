"""What an account may use, as far as old clients ask at their start."""

from gateway.ec2.ask import Ask
from gateway.ec2.faults import bad_value
from gateway.ec2.registry import Reply, operation

_ANSWERS = {"supported-platforms": ("EC2",), "default-vpc": ("none",)}


@operation("DescribeAccountAttributes")
def describe_account_attributes(ask: Ask, attribute_names: list[str] | None = None) -> Reply:
    """Instances run on the zone's own network, and there is no virtual private cloud."""
    for name in attribute_names or ():
        if name not in _ANSWERS:
            raise bad_value("AttributeName", name, f"Known are {', '.join(sorted(_ANSWERS))}.")
    return {
        "AccountAttributes": [
            {
                "AttributeName": name,
                "AttributeValues": [{"AttributeValue": value} for value in values],
            }
            for name, values in _ANSWERS.items()
            if not attribute_names or name in attribute_names
        ]
    }
