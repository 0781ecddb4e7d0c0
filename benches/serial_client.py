"""A minimal client that does the job of usage-signals without concurrency or batches. It uses only the standard library.

It reads the address and credentials of the sandbox from the environment, and prints the number of contacts and signals.
"""

import datetime
import http.client
import json
import os
import urllib.parse


class Service:
    """One keep-alive connection to a service."""

    def __init__(self, base, headers):
        url = urllib.parse.urlsplit(base)
        self.path = url.path
        self.headers = {"Accept": "application/json", **headers}
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(url.netloc)

    def call(self, method, path, body=None, form=None):
        headers = dict(self.headers)
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            data = urllib.parse.urlencode(form)
        self.connection.request(method, self.path + path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else {}


def number(attributes, name):
    try:
        return float(attributes.get(name))
    except (TypeError, ValueError):
        return None


def at_least(attributes, name, threshold):
    value = number(attributes, name)
    return value is not None and value >= threshold


def signals_of(contact):
    """Evaluates the five default rules. Yields tag, details, priority, days until the due date, and Lead_Status."""
    of = contact.get("custom_attributes") or {}
    expansion = "Expansion Opportunity"
    if of.get("plan_type") == "team" and at_least(of, "teammates_count", 8):
        yield "Expansion: Team Size Limit", f"{of['teammates_count']}/10 users", "High", 7, expansion
    if at_least(of, "storage_percent", 95):
        yield "Expansion: Storage Limit", f"{of['storage_percent']}% storage used", "Highest", 3, expansion
    elif at_least(of, "storage_percent", 80):
        yield "Expansion: Storage Limit", f"{of['storage_percent']}% storage used", "High", 7, expansion
    if at_least(of, "projects_count", 20):
        yield "Expansion: Power User", f"{of['projects_count']} projects created", "Normal", 14, expansion
    if of.get("enterprise_features_tried"):
        tried = of["enterprise_features_tried"]
        yield "Expansion: Enterprise Feature Interest", f"Tried: {tried}", "High", 3, expansion
    if at_least(of, "days_since_last_login", 14):
        details = f"Inactive for {of['days_since_last_login']} days"
        yield "Churn Risk: Inactive 14 Days", details, "Highest", 1, None


def pages(intercom):
    after = {}
    while True:
        body = {
            "query": {"field": "created_at", "operator": ">", "value": 0},
            "sort": {"field": "created_at", "order": "ascending"},
            "pagination": {"per_page": 150, **after},
        }
        page = intercom.call("POST", "/contacts/search", body)
        yield page["data"]
        following = page["pages"].get("next")
        if not following:
            return
        after = {"starting_after": following["starting_after"]}


def company_of(intercom, contact):
    companies = (contact.get("companies") or {}).get("data") or []
    if not companies:
        return "unknown"
    return intercom.call("GET", f"/companies/{companies[0]['id']}").get("name") or "unknown"


def record_for(zoho, contact, company, lead_status):
    """Returns module and id of the Contact with the e-mail, or else of a lead, which it upserts."""
    email = contact["email"].replace("'", "''")
    query = f"select id from Contacts where Email = '{email}' limit 1"
    found = zoho.call("POST", "/crm/v8/coql", {"select_query": query})
    if found:
        return "Contacts", found["data"][0]["id"]
    lead = {"Email": contact["email"], "Last_Name": contact.get("name") or contact["email"], "Company": company}
    if lead_status:
        lead["Lead_Status"] = lead_status
    body = {"data": [lead], "duplicate_check_fields": ["Email"], "trigger": []}
    answer = zoho.call("POST", "/crm/v8/Leads/upsert", body)
    return "Leads", answer["data"][0]["details"]["id"]


def make_task(zoho, record, details, priority, days):
    module, id_ = record
    due = datetime.date.today() + datetime.timedelta(days=days)
    task = {
        "Subject": details,
        "Due_Date": due.isoformat(),
        "Priority": priority,
        "Status": "Not Started",
        "Description": details,
        "$se_module": module,
        "Who_Id" if module == "Contacts" else "What_Id": {"id": id_},
    }
    answer = zoho.call("POST", "/crm/v8/Tasks", {"data": [task], "trigger": []})
    assert answer["data"][0]["status"] == "success", answer


def main():
    env = os.environ
    token = {"Authorization": f"Bearer {env['INTERCOM_ACCESS_TOKEN']}", "Intercom-Version": "2.15"}
    intercom = Service(env["INTERCOM_BASE_URL"], token)
    tags = {tag["name"]: tag["id"] for tag in intercom.call("GET", "/tags")["data"]}
    accounts = Service(env["ZOHO_ACCOUNTS_URL"], {})
    grant = accounts.call(
        "POST",
        "/oauth/v2/token",
        form={
            "grant_type": "refresh_token",
            "client_id": env["ZOHO_CLIENT_ID"],
            "client_secret": env["ZOHO_CLIENT_SECRET"],
            "refresh_token": env["ZOHO_REFRESH_TOKEN"],
        },
    )
    zoho = Service(env["ZOHO_API_URL"], {"Authorization": f"Zoho-oauthtoken {grant['access_token']}"})
    contacts = signals = 0
    for page in pages(intercom):
        for contact in page:
            contacts += 1
            for tag, details, priority, days, lead_status in signals_of(contact):
                signals += 1
                company = company_of(intercom, contact)
                make_task(zoho, record_for(zoho, contact, company, lead_status), details, priority, days)
                if tag not in tags:
                    tags[tag] = intercom.call("POST", "/tags", {"name": tag})["id"]
                intercom.call("POST", f"/contacts/{contact['id']}/tags", {"id": tags[tag]})
    print(json.dumps({"contacts": contacts, "signals": signals}))


main()
