package org.json;

/** What the client uses of Android's JSONObject, as signatures alone. */
public class JSONObject {
    public JSONObject() {}
    public JSONObject(String text) {}
    public String optString(String name) { throw new UnsupportedOperationException(); }
    public boolean optBoolean(String name) { throw new UnsupportedOperationException(); }
    public String getString(String name) { throw new UnsupportedOperationException(); }
    public JSONObject put(String name, Object value) { throw new UnsupportedOperationException(); }
    public JSONObject put(String name, long value) { throw new UnsupportedOperationException(); }
}
